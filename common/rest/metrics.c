#include "rest/metrics.h"

#include <inttypes.h>

void metrics_head(struct zl_buf *out, const char *name, const char *type,
		  const char *help)
{
	zl_buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_number(struct zl_buf *out, const char *name, const char *type,
		    const char *help, uint64_t value)
{
	metrics_head(out, name, type, help);
	zl_buf_format(out, "%s %" PRIu64 "\n", name, value);
}

void metrics_build(struct zl_buf *out, const char *role)
{
	metrics_head(out, "zonelink_build_info", "gauge",
		     "Version and role of this process.");
	zl_buf_format(out,
		      "zonelink_build_info{version=\"" ZL_VERSION "\",role=\"%s\"} 1\n",
		      role);
}

void metrics_count(struct metrics_answers *answers, const struct http_seen *seen)
{
	if (seen->status >= 100 && seen->status < 600)
		answers->by_class[seen->status / 100]++;
}

void metrics_answers(const struct metrics_answers *answers, struct zl_buf *out)
{
	metrics_head(out, "zonelink_api_requests_total", "counter",
		     "Answers of the API by the class of their status.");
	for (unsigned i = 1; i < 6; i++)
		zl_buf_format(out,
			      "zonelink_api_requests_total{code=\"%uxx\"} %" PRIu64 "\n",
			      i, answers->by_class[i]);
	metrics_head(out, "zonelink_auth_failures_total", "counter",
		     "Requests and TLS handshakes that were refused, by reason.");
	for (int i = 0; i < HTTP_DENIALS; i++)
		zl_buf_format(out,
			      "zonelink_auth_failures_total{reason=\"%s\"} %" PRIu64 "\n",
			      http_denial_name((enum http_denial)i), answers->denied[i]);
}

void metrics_send(struct http_request *req, const struct zl_buf *page)
{
	http_answer(req, 200, "text/plain; version=0.0.4", page->data, page->len);
}

void metrics_live(struct http_request *req, void *arg)
{
	(void)arg;
	http_text(req, 200, "[+]loop ok\n");
}
