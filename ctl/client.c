#include "ctl/client.h"

#include "base/err.h"
#include "ctl/context.h"
#include "ctl/json.h"
#include "ctl/secure.h"
#include "model/read.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 256 << 20 };

const char *client_escape(const struct ctl *ctl, const char *text)
{
	static const char KEEP[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._~";
	char *out = zl_arena_alloc(ctl->arena, 3 * strlen(text) + 1, 1);
	char *to = out;

	for (; *text != '\0'; text++) {
		if (strchr(KEEP, *text) != NULL)
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*text);
	}
	return out;
}

/* Where the bytes of an answer go. */
struct sink {
	CURL *curl;
	struct zl_buf *body;
	FILE *to;
};

static size_t take_body(char *data, size_t size, size_t count, void *owner)
{
	const struct sink *sink = owner;
	struct zl_buf *body = sink->body;
	long status = 0;

	curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
	if (sink->to != NULL && status >= 200 && status < 300)
		return fwrite(data, size, count, sink->to) * size;
	if (body->len + size * count > ANSWER_MAX)
		return 0; /* ends the transfer with an error */
	zl_buf_add(body, data, size * count);
	return size * count;
}

/* libcurl's URL for the server, and its socket option for a unix socket. */
static const char *set_server(const struct ctl *ctl, CURL *curl, const char *server,
			      const char *path)
{
	if (strncmp(server, "unix:", 5) == 0) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, server + 5);
		return zl_arena_format(ctl->arena, "http://localhost%s", path);
	}
	size_t len = strlen(server);
	while (len > 0 && server[len - 1] == '/')
		len--;
	return zl_arena_format(ctl->arena, "%s%.*s%s",
			       strstr(server, "://") == NULL ? "http://" : "", (int)len,
			       server, path);
}

static struct curl_slist *headers_of(const struct ctl *ctl, const struct ask *ask,
				     const char *token)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	if (token != NULL)
		headers = curl_slist_append(
			headers,
			zl_arena_format(ctl->arena, "Authorization: Bearer %s", token));
	if (ask->if_match != NULL)
		headers = curl_slist_append(
			headers,
			zl_arena_format(ctl->arena, "If-Match: \"r%s\"", ask->if_match));
	if (ask->body != NULL)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	return headers;
}

static void set_request(const struct ctl *ctl, CURL *curl, const struct ask *ask,
			struct sink *sink)
{
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
	if (ask->to == NULL) {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ctl->timeout_ms);
	} else { /* only a stop of so long is one */
		curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, ctl->timeout_ms);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
				 ctl->timeout_ms / 1000 + 1);
	}
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* not the environment's either */
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
	if (ask->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->len);
	}
}

static enum ctl_exit transfer(const struct ctl *ctl, CURL *curl, const struct ask *ask,
			      struct zl_buf *body, long *status)
{
	struct sink sink = { curl, body, ask->to };
	struct server server;
	struct secure secure;
	const char *token = NULL;
	char detail[CURL_ERROR_SIZE] = "";

	enum ctl_exit code = context_server(ctl, &server);
	if (code == CTL_OK)
		code = secure_token(ctl, &server, &token);
	if (code == CTL_OK)
		code = secure_set(ctl, &secure, curl, &server);
	if (code != CTL_OK)
		return code;
	struct curl_slist *headers = headers_of(ctl, ask, token);
	const char *url = set_server(ctl, curl, server.url, ask->path);
	set_request(ctl, curl, ask, &sink);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);

	CURLcode rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(headers);
	if (ctl->verbose)
		(void)fprintf(stderr, "%s %s -> %ld\n", ask->method, url, *status);
	if (rc == CURLE_OK)
		return CTL_OK;
	code = secure_failed(&secure, rc,
			     *detail != '\0' ? detail : curl_easy_strerror(rc));
	if (code != CTL_OK)
		return code;
	return ctl_fail(rc == CURLE_OPERATION_TIMEDOUT ? CTL_TIMEOUT : CTL_UNREACHABLE,
			"%s: %s (is it running? --server names another)", server.url,
			curl_easy_strerror(rc));
}

static enum ctl_exit exit_of_status(long status)
{
	switch (status) {
	case 400:
	case 413:
	case 422:
	case 405:
		return CTL_INVALID;
	case 401:
	case 403:
		return CTL_FORBIDDEN;
	case 404:
		return CTL_ABSENT;
	case 409:
	case 412:
		return CTL_CONFLICT;
	default:
		return status >= 200 && status < 300 ? CTL_OK : CTL_SERVER;
	}
}

void client_problem(const struct ask *ask, const struct answer *answer)
{
	const struct tree *bad = json_list(answer->json, "invalid_parameters");
	const char *detail = json_text(answer->json, "detail");

	(void)fprintf(stderr, "zonelinkctl: %s %s: %ld %s%s%s\n", ask->method, ask->path,
		      answer->status, json_text(answer->json, "title"),
		      *detail != '\0' ? ": " : "", detail);
	for (size_t i = 0; i < bad->count; i++) {
		const struct tree *item = bad->items[i];
		const char *document = json_find(item, "document");
		const char *field = json_text(item, "field");
		(void)fprintf(
			stderr, "  %s%s%s%s%s%s\n", document != NULL ? "document " : "",
			document != NULL ? document : "", document != NULL ? ": " : "",
			field, *field != '\0' ? ": " : "", json_text(item, "reason"));
	}
}

enum ctl_exit client_ask(const struct ctl *ctl, const struct ask *ask,
			 struct answer *answer)
{
	struct zl_buf body = { 0 };
	struct tree *json = NULL;

	*answer = (struct answer){ .text = "" };
	CURL *curl = curl_easy_init();
	if (curl == NULL)
		return ctl_fail(CTL_UNREACHABLE, "libcurl cannot start");
	enum ctl_exit code = transfer(ctl, curl, ask, &body, &answer->status);
	curl_easy_cleanup(curl);

	answer->text = zl_arena_strndup(ctl->arena, zl_buf_text(&body), body.len);
	answer->len = body.len;
	if (code == CTL_OK &&
	    read_json_large(body.data, body.len, ctl->arena, &json, NULL) == ZL_OK &&
	    json->type == TREE_MAP)
		answer->json = json;
	zl_buf_free(&body);
	if (code != CTL_OK)
		return code;
	code = exit_of_status(answer->status);
	if (code != CTL_OK && !(code == CTL_ABSENT && ask->may_be_absent))
		client_problem(ask, answer);
	else if (code == CTL_OK && ask->want_json && answer->json == NULL)
		code = ctl_fail(CTL_SERVER, "%s %s: the answer is no JSON object",
				ask->method, ask->path);
	return code;
}
