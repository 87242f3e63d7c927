#include "base/addr.h"

#include "support/test.h"
#include "support/tmp.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void addresses_are_read_and_written_back(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool is_unix, is_local;
	} CASES[] = {
		{ "127.0.0.1:5681", "127.0.0.1", 5681, false, true },
		{ "127.255.1.2:0", "127.255.1.2", 0, false, true },
		{ "localhost:1", "localhost", 1, false, true },
		{ "[::1]:65535", "::1", 65535, false, true },
		{ "[fe80::1]:80", "fe80::1", 80, false, false },
		{ "10.0.0.1:80", "10.0.0.1", 80, false, false },
		{ "0.0.0.0:80", "0.0.0.0", 80, false, false },
		{ "127.0.0.1.evil:80", "127.0.0.1.evil", 80, false, false },
		{ "global.example:5678", "global.example", 5678, false, false },
		{ "unix:/run/a:b", "/run/a:b", 0, true, true },
	};
	struct zl_addr addr;
	char text[ZL_ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_int_equal(zl_addr_parse(CASES[i].text, &addr, NULL), ZL_OK);
		assert_string_equal(addr.host, CASES[i].host);
		assert_int_equal(addr.port, CASES[i].port);
		assert_int_equal(addr.is_unix, CASES[i].is_unix);
		assert_int_equal(zl_addr_is_local(&addr), CASES[i].is_local);
		zl_addr_text(&addr, text);
		assert_string_equal(text, CASES[i].text);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const CASES[] = {
		"",        "80",          ":80",     "host",   "host:", "host:65536",
		"host:+1", "host:1x",     "host:-1", "::1:80", "[::1]", "[::1:80",
		"[]:80",   "host:000080", "unix:",   "a:b:80",
	};
	struct zl_addr addr;
	struct zl_err err = { 0 };
	char text[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		if (zl_addr_parse(CASES[i], &addr, &err) != ZL_EINVAL)
			fail_msg("taken: \"%s\"", CASES[i]);
		assert_non_null(strstr(err.msg, "unix:PATH"));
	}
	(void)snprintf(text, sizeof(text), "%0290d:80", 1);
	assert_int_equal(zl_addr_parse(text, &addr, &err), ZL_EINVAL);
	(void)snprintf(text, sizeof(text), "unix:/%0200d", 1);
	assert_int_equal(zl_addr_parse(text, &addr, &err), ZL_EINVAL);
}

static void ip_addresses_are_known(void **state)
{
	(void)state;
	assert_true(zl_is_ip("1.2.3.4") && zl_is_ip("::") && zl_is_ip("fe80::1"));
	assert_false(zl_is_ip("1.2.3") || zl_is_ip("a.example") || zl_is_ip("[::1]") ||
		     zl_is_ip("") || zl_is_ip("1.2.3.4.5") || zl_is_ip("01.2.3.256"));
}

static int must_listen(struct zl_addr *addr)
{
	struct zl_err err = { 0 };
	int fd;

	if (zl_addr_listen(addr, &fd, &err) != ZL_OK)
		fail_msg("%s", err.msg);
	return fd;
}

static void port_0_becomes_a_port(void **state)
{
	struct zl_addr addr, same;
	struct zl_err err = { 0 };
	int other;

	(void)state;
	assert_int_equal(zl_addr_parse("127.0.0.1:0", &addr, NULL), ZL_OK);
	int fd = must_listen(&addr);
	assert_int_not_equal(addr.port, 0);
	same = addr;
	assert_int_equal(zl_addr_listen(&same, &other, &err), ZL_EIO);
	assert_int_equal(other, -1);
	assert_non_null(strstr(err.msg, "listen on 127.0.0.1:"));
	close(fd);
	assert_int_equal(zl_addr_parse("a.example:80", &addr, NULL), ZL_OK);
	assert_int_equal(zl_addr_listen(&addr, &fd, &err), ZL_EINVAL);
}

/* The file of a dead process is replaced, the socket of a living one is not. */
static void a_stale_unix_socket_is_replaced(void **state)
{
	struct tmp tmp;
	struct zl_addr addr;
	struct zl_err err = { 0 };
	char text[300];
	int other;

	(void)state;
	tmp_make(&tmp);
	(void)snprintf(text, sizeof(text), "unix:%s", tmp_path(&tmp, "socket"));
	assert_int_equal(zl_addr_parse(text, &addr, NULL), ZL_OK);
	int fd = must_listen(&addr);
	assert_int_not_equal(zl_addr_listen(&addr, &other, &err), ZL_OK);
	close(fd);
	fd = must_listen(&addr);

	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	memcpy(sun.sun_path, addr.host, strlen(addr.host) + 1);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	close(client);
	close(fd);
	tmp_remove(&tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_back),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(ip_addresses_are_known),
		cmocka_unit_test(port_0_becomes_a_port),
		cmocka_unit_test(a_stale_unix_socket_is_replaced),
	};
	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
