/* What an Envoy refuses, and what becomes of the rest. */
#include "play.h"

#include "support/test.h"

#include <string.h>

static void a_refused_split_keeps_its_old_clusters(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Cb:1 Eb:1 Ll:1 Xl:b");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "X+l");
	play_nack(&play, 'X', "no");
	sends(&play, "");
	play_config(&play, "Cb:1 Eb:1 Ll:1 Xl:b,2");
	sends(&play, "X+l");
	play_ack(&play, "X");
	sends(&play, "C-a");
	play_end(&play);
}

static void one_refused_is_left_out(void **state)
{
	struct xds_resource_status what;
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:a,bad");
	sends(&play, "X+l");
	play_nack(&play, 'X', "l is bad");
	assert_true(xds_session_take_refused(play.session, &what));
	assert_string_equal(what.name, "l");
	assert_string_equal(what.nack, "l is bad");
	assert_int_equal(what.state, XDS_NACKED);
	assert_false(xds_session_take_refused(play.session, &what));
	sends(&play, "");
	assert_false(play_settled(&play));
	assert_string_equal(play_state(&play, 'X', "l"), "Nacked: l is bad");
	play_config(&play, "Ca:1 Ea:2 Ll:1 Xl:a,bad"); /* the rest flows on */
	sends(&play, "E+a");
	play_ack(&play, "E");
	assert_false(play_settled(&play));
	play_config(&play, ONE); /* what it had; but does it have it? */
	sends(&play, "E+a X+l");
	play_ack(&play, "EX");
	assert_true(play_settled(&play));
	assert_string_equal(play_state(&play, 'X', "l"), "Synced");
	play_end(&play);
}

static void several_refused_are_tried_alone(void **state)
{
	struct xds_resource_status what;
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:1 Lm:1 Ln:1 Xl:2 Xm:2 Xn:2");
	sends(&play, "L+m+n X+l+m+n");
	play_ack(&play, "L");
	play_nack(&play, 'X', "one is bad");
	assert_false(xds_session_take_refused(play.session, &what));
	sends(&play, "X+l");
	play_config(&play, "Ca:1 Ea:1 Ll:1 Lm:1 Ln:1 Lo:1 Xl:2 Xm:2 Xn:2 Xo:2");
	sends(&play, "L+o");
	play_ack(&play, "XL");
	sends(&play, "X+m");
	play_nack(&play, 'X', "m is bad");
	assert_true(xds_session_take_refused(play.session, &what));
	assert_string_equal(what.name, "m");
	sends(&play, "X+n");
	play_ack(&play, "X");
	sends(&play, "X+o");
	play_ack(&play, "X");
	sends(&play, "");
	assert_string_equal(play_state(&play, 'X', "m"), "Nacked: m is bad");
	assert_string_equal(play_state(&play, 'X', "o"), "Synced");
	assert_int_equal(play.counts.nacks[ENVOY_EXTENSION], 2);
	play_end(&play);
}

static void refused_clusters_are_followed_by_endpoints_each(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Cb:1 Cc:1 Ea:1 Eb:1 Ec:1 Ll:1 Xl:a");
	sends(&play, "C+b+c E+b+c");
	play_ack(&play, "E");
	play_nack(&play, 'C', "c: bad");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "C+c E+c");
	play_nack(&play, 'C', "c: bad");
	play_ack(&play, "E");
	sends(&play, "");
	assert_string_equal(play_state(&play, 'C', "b"), "Synced");
	assert_string_equal(play_state(&play, 'C', "c"), "Nacked: c: bad");
	play_end(&play);
}

/* What is refused for good holds nobody up: of the others it is the split's share. */
static void a_split_does_not_wait_for_a_refused_cluster(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Cb:1 Cc:1 Ea:1 Eb:1 Ec:1 Ll:1 Xl:b,c");
	sends(&play, "C+b+c E+b+c");
	play_ack(&play, "E");
	play_nack(&play, 'C', "c: bad");
	sends(&play, "C+b E+b"); /* which of them, is not known yet */
	play_ack(&play, "CE");
	sends(&play, "C+c E+c");
	play_nack(&play, 'C', "c: bad");
	sends(&play, "X+l");
	play_end(&play);
}

static void removals_in_a_refused_response_go_again(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:1 Lm:1 Xm:a");
	sends(&play, "L+m-l X+m");
	play_ack(&play, "X");
	play_nack(&play, 'L', "m is bad");
	(void)play_sent(&play);
	char first = strstr(play.got, "-l") != NULL ? 'l' : 'm';
	assert_string_equal(play.got, first == 'l' ? "L-l" : "L+m");
	play_ack(&play, "L");
	sends(&play, first == 'l' ? "L+m" : "L-l");
	play_ack(&play, "L");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void only_the_end_of_a_long_reason_is_kept(void **state)
{
	char reason[1001] = "";
	struct play play;

	(void)state;
	begin_with_one(&play);
	for (size_t i = 0; i + 2 <= 1000; i += 2)
		memcpy(reason + i, "\xc3\xa4", 3);
	reason[999] = '!'; /* cuts the last character; the reader would refuse that */
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:bad");
	sends(&play, "X+l");
	play_nack(&play, 'X', reason);
	const char *text = play_state(&play, 'X', "l");
	assert_true(strlen(text) <= strlen("Nacked: ") + 300);
	assert_true(strlen(text) >= strlen("Nacked: ") + 298);
	assert_true((unsigned char)text[strlen("Nacked: ")] == 0xc3);
	play_end(&play);
}

static void stale_nonces_mean_nothing(void **state)
{
	struct play play;
	char old[24];

	(void)state;
	begin_with_one(&play);
	memcpy(old, play.nonces[ENVOY_EXTENSION], sizeof(old));
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:2");
	sends(&play, "X+l");
	char newest[24];
	memcpy(newest, play.nonces[ENVOY_EXTENSION], sizeof(newest));
	memcpy(play.nonces[ENVOY_EXTENSION], old, sizeof(old));
	play_nack(&play, 'X', "late");
	play_ack(&play, "X");
	assert_false(play_settled(&play));
	memcpy(play.nonces[ENVOY_EXTENSION], newest, sizeof(newest));
	play_ack(&play, "X");
	play_ack(&play, "X");
	assert_true(play_settled(&play));
	assert_int_equal(play.counts.nacks[ENVOY_EXTENSION], 0);
	play_end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_split_keeps_its_old_clusters),
		cmocka_unit_test(one_refused_is_left_out),
		cmocka_unit_test(several_refused_are_tried_alone),
		cmocka_unit_test(refused_clusters_are_followed_by_endpoints_each),
		cmocka_unit_test(a_split_does_not_wait_for_a_refused_cluster),
		cmocka_unit_test(removals_in_a_refused_response_go_again),
		cmocka_unit_test(only_the_end_of_a_long_reason_is_kept),
		cmocka_unit_test(stale_nonces_mean_nothing),
	};
	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
