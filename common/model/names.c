#include "model/names.h"

#include "base/addr.h"

#include <string.h>
#include <strings.h>

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* True if each character is alphanumeric or in more. */
static bool only(const char *text, const char *more)
{
	for (; *text != '\0'; text++)
		if (!is_alnum(*text) && strchr(more, *text) == NULL)
			return false;
	return true;
}

static bool only_lower(const char *text, const char *more)
{
	for (; *text != '\0'; text++)
		if (!is_lower(*text) && !is_digit(*text) && strchr(more, *text) == NULL)
			return false;
	return true;
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? over len characters. */
static bool is_part(const char *text, size_t len)
{
	if (len == 0 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower(text[i]) && !is_digit(text[i]) && text[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *text)
{
	for (;;) {
		size_t len = strcspn(text, ".");
		if (!is_part(text, len))
			return false;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

bool name_is_dns(const char *text)
{
	return strlen(text) <= NAME_MAX_LEN && is_subdomain(text);
}

const char *name_fault(const char *name)
{
	if (name[0] == '\0')
		return "cannot be empty";
	if (strlen(name) > NAME_MAX_LEN)
		return "value length must less or equal 253";
	if (!is_subdomain(name))
		return "invalid characters. A lowercase RFC 1123 subdomain must consist "
		       "of lower case alphanumeric characters, '-' or '.', and must "
		       "start and end with an alphanumeric character";
	return NULL;
}

const char *name_fault_1035(const char *name)
{
	if (name[0] == '\0')
		return "cannot be empty";
	if (strlen(name) > LABEL_MAX)
		return "must not be longer than 63 characters";
	if (!is_lower(name[0]) || !is_part(name, strlen(name)))
		return "a DNS-1035 label must consist of lower case alphanumeric "
		       "characters or '-', start with an alphabetic character, and end "
		       "with an alphanumeric character";
	return NULL;
}

const char *name_fault_mesh(const char *name)
{
	if (name[0] == '\0')
		return "cannot be empty";
	if (strlen(name) > MESH_NAME_MAX)
		return "cannot be longer than 63 characters";
	if (!only_lower(name, "-_."))
		return "invalid characters. Valid characters are numbers, lowercase "
		       "latin letters and '-', '_', '.' symbols.";
	return NULL;
}

const char *name_fault_namespace(const char *name)
{
	if (strlen(name) > LABEL_MAX)
		return "must be no more than 63 characters";
	if (!is_part(name, strlen(name)))
		return "a lowercase RFC 1123 label must consist of lower case "
		       "alphanumeric characters or '-', and must start and end with an "
		       "alphanumeric character";
	return NULL;
}

const char *name_fault_ref(const char *name)
{
	if (!only_lower(name, "-_."))
		return "invalid characters: must consist of lower case alphanumeric "
		       "characters, '-', '.' and '_'.";
	return NULL;
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool is_label_word(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && is_alnum(text[0]) && is_alnum(text[len - 1]) &&
	       only(text, "-_.");
}

const char *label_fault_key(const char *key)
{
	const char *slash = strchr(key, '/');
	const char *word = slash != NULL ? slash + 1 : key;

	if (slash != NULL) {
		char prefix[NAME_MAX_LEN + 1] = "";
		size_t len = (size_t)(slash - key);
		if (len == 0)
			return "prefix part must be non-empty";
		if (len > NAME_MAX_LEN)
			return "prefix part must be no more than 253 characters";
		memcpy(prefix, key, len);
		if (!is_subdomain(prefix))
			return "prefix part a lowercase RFC 1123 subdomain must consist "
			       "of "
			       "lower case alphanumeric characters, '-' or '.', and must "
			       "start and end with an alphanumeric character";
	}
	if (word[0] == '\0')
		return "name part must be non-empty";
	if (strlen(word) > LABEL_MAX)
		return "name part must be no more than 63 characters";
	if (!is_label_word(word))
		return "name part must consist of alphanumeric characters, '-', '_' or "
		       "'.', and must start and end with an alphanumeric character";
	return NULL;
}

const char *label_fault_value(const char *value)
{
	if (strlen(value) > LABEL_MAX)
		return "must be no more than 63 characters";
	if (value[0] != '\0' && !is_label_word(value))
		return "a valid label must be an empty string or consist of alphanumeric "
		       "characters, '-', '_' or '.', and must start and end with an "
		       "alphanumeric character";
	return NULL;
}

const char *tag_fault_key(const char *key)
{
	if (!only(key, ".-_:/"))
		return "tag name must consist of alphanumeric characters, dots, dashes, "
		       "slashes and underscores";
	return NULL;
}

const char *tag_fault_value(const char *value, enum tag_rule rule)
{
	if (value[0] == '\0')
		return "tag value must be non-empty";
	if (rule != TAGS_EXACT && strcmp(value, "*") == 0)
		return NULL;
	if (rule == TAGS_SELECTOR && !only(value, ".-_:/"))
		return "tag value must consist of alphanumeric characters, dots, dashes, "
		       "slashes and underscores or be \"*\"";
	if (rule != TAGS_SELECTOR && !only(value, ".-_:"))
		return "tag value must consist of alphanumeric characters, dots, dashes "
		       "and underscores";
	return NULL;
}

bool name_is_system_namespace(const char *ns)
{
	return ns[0] == '\0' || strcmp(ns, "kuma-system") == 0 ||
	       strcmp(ns, "kong-mesh-system") == 0 || strcmp(ns, "zonelink-system") == 0;
}

bool protocol_is_known(const char *protocol)
{
	static const char *const KNOWN[] = { "tcp",   "http", "http2", "grpc",
					     "kafka", "tls",  "mysql" };

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (strcasecmp(KNOWN[i], protocol) == 0)
			return true;
	return false;
}

const char *address_fault(const char *address)
{
	if (address[0] == '\0')
		return "address can't be empty";
	if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
		return "must not be 0.0.0.0 or ::";
	if (!zl_is_ip(address) && !name_is_dns(address))
		return "address has to be valid IP address or domain name";
	return NULL;
}
