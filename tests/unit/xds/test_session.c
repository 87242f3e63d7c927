#include "play.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

static void nothing_before_the_first_config(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_ask(&play, 'C', NULL);
	play_ask(&play, 'E', "a");
	sends(&play, "");
	assert_false(play_settled(&play));
	play_config(&play, ONE);
	sends(&play, "C+a E+a L+l");
	play_end(&play);
}

static void all_in_one_flush_but_what_names_a_new_cluster(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_config(&play, "Rr:1 Xl:a Lm:1 Ll:1 Ss:1 Eb:1 Ea:1 Ca:1 Cb:1");
	play_ask(&play, 'C', NULL);
	sends(&play, "C+a+b E+a+b S+s L+l+m R+r");
	sends(&play, "");
	play_ack(&play, "C");
	sends(&play, "X+l");
	play_end(&play);
}

static void an_empty_config_is_settled_at_once(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_config(&play, "");
	assert_false(play_settled(&play)); /* nobody asked yet */
	play_ask(&play, 'C', NULL);
	sends(&play, "C");
	sends(&play, "");
	assert_true(play_settled(&play));
	assert_false(play_settled(&play)); /* told once */
	play_end(&play);
}

static void that_there_is_nothing_is_said_once(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_ask(&play, 'L', NULL);
	sends(&play, ""); /* who it is, is not known yet */
	play_config(&play, "Ca:1 Ea:1");
	sends(&play, "L");
	sends(&play, "");
	play_config(&play, ONE);
	play_ask(&play, 'C', NULL);
	sends(&play, "C+a E+a L+l");
	play_end(&play);
}

static void only_differences(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, ONE);
	sends(&play, "");
	assert_true(play_settled(&play)); /* at the new revision */
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:a,a");
	assert_false(play_settled(&play));
	sends(&play, "X+l");
	assert_false(play_settled(&play));
	play_ack(&play, "X");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void one_in_flight_then_the_newest(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:a,2");
	sends(&play, "X+l");
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:a,3");
	sends(&play, "");
	play_config(&play, "Ca:1 Ea:2 Ll:1 Xl:a,4"); /* other types do not wait */
	sends(&play, "E+a");
	play_ack(&play, "X");
	assert_false(play_settled(&play));
	sends(&play, "X+l");
	play_ack(&play, "XE");
	sends(&play, "");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void back_to_what_is_in_flight(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:a,2");
	sends(&play, "X+l");
	play_config(&play, ONE);
	sends(&play, "");
	play_ack(&play, "X"); /* it has the version between now */
	sends(&play, "X+l");
	play_ack(&play, "X");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void endpoints_follow_a_changed_cluster(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:2 Ea:1 Ll:1 Xl:a");
	sends(&play, "C+a E+a");
	play_ack(&play, "E"); /* CDS may be acknowledged late */
	sends(&play, "");
	assert_false(play_settled(&play));
	play_ack(&play, "C");
	assert_true(play_settled(&play));
	play_end(&play);
}

/* Endpoints that were on their way before the cluster's change do not count. */
static void endpoints_follow_also_when_one_was_in_flight(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ea:2 Ll:1 Xl:a");
	sends(&play, "E+a");
	play_config(&play, "Ca:2 Ea:2 Ll:1 Xl:a");
	sends(&play, "C+a");
	play_ack(&play, "E");
	sends(&play, "E+a");
	play_ack(&play, "EC");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void an_unacknowledged_cds_holds_up_no_other_type(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:2 Ea:1 Ll:1 Xl:a");
	sends(&play, "C+a E+a");
	play_ack(&play, "E");
	play_config(&play, "Ca:3 Ea:2 Ll:2 Xl:a,2");
	sends(&play, "E+a L+l X+l");
	play_end(&play);
}

/* I6: a split names only clusters that the proxy can use; others go on. */
static void a_split_waits_for_its_new_cluster(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:2 Ea:1 Ll:1 Xl:a");
	sends(&play, "C+a E+a");
	play_config(&play, "Ca:2 Cnew:1 Ea:1 Enew:1 Ll:1 Lm:1 Xl:a,2 Xm:new");
	play_ack(&play, "E");
	sends(&play, "L+m X+l");
	play_ack(&play, "LX");
	sends(&play, "");
	play_ack(&play, "C");
	sends(&play, "C+new E+new");
	play_ack(&play, "E"); /* but the cluster warms: its endpoints are checked */
	sends(&play, "");
	assert_false(play_settled(&play));
	play_ack(&play, "C");
	sends(&play, "X+m");
	play_ack(&play, "X");
	assert_true(play_settled(&play));
	play_end(&play);
}

/* The proxy uses what it had until the new version is warm. */
static void a_split_of_clusters_that_change_waits_for_none(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:2 Ea:1 Ll:1 Xl:a,2");
	sends(&play, "C+a E+a X+l");
	play_end(&play);
}

/* Envoy does not ask for clusters while one warms, also not on a new stream. */
static void nothing_names_a_cluster_before_it_is_asked_for(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_config(&play, "Ca:1 Cnew:1 Ea:1 Enew:1 Ll:1 Xl:new");
	play_return(&play, 'E', "a=ok new=ok", false);
	play_return(&play, 'L', "l=ok", true);
	play_return(&play, 'X', "l=77", false);
	sends(&play, "");
	play_return(&play, 'C', "a=ok new=ok", true);
	sends(&play, "X+l");
	play_end(&play);
}

/* So many that nobody looks for each one's name. */
static void many_new_clusters_hold_up_all_splits(void **state)
{
	char config[1024] = "Ca:1 Ea:1 Ll:1 Xl:a,2";
	struct play play;

	(void)state;
	begin_with_one(&play);
	for (size_t i = 0, len = strlen(config); i < 65; i++)
		len += (size_t)snprintf(config + len, sizeof(config) - len, " Cn%zu:1",
					i);
	play_config(&play, config);
	assert_null(strchr(play_sent(&play), 'X'));
	play_ack(&play, "C");
	sends(&play, "X+l");
	play_end(&play);
}

static void clusters_go_when_no_split_can_name_them(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Cb:1 Eb:1 Ll:1 Xl:b");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "X+l");
	assert_string_equal(play_state(&play, 'C', "a"), "Stale");
	play_ack(&play, "X");
	assert_false(play_settled(&play));
	sends(&play, "C-a");
	play_ack(&play, "C");
	sends(&play, "");
	assert_string_equal(play_state(&play, 'C', "a"), "none");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void listeners_go_first_and_their_names_are_never_removed(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "");
	sends(&play, "L-l");
	play_ack(&play, "L");
	sends(&play, "C-a");
	play_ack(&play, "C");
	assert_true(play_settled(&play));
	play_drop(&play, 'E', "a");
	play_drop(&play, 'X', "l");
	sends(&play, "");
	play_config(&play, ONE); /* all is new again */
	sends(&play, "C+a E+a L+l");
	play_ack(&play, "C");
	sends(&play, "X+l");
	play_end(&play);
}

static void each_subscription_is_answered(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_ask(&play, 'E', "a"); /* it has forgotten what it had */
	sends(&play, "E+a");
	play_ask(&play, 'E', "a"); /* answered by what is in flight */
	play_ack(&play, "E");
	sends(&play, "");
	play_ask(&play, 'X', "l l");
	sends(&play, "X+l");
	play_ask(&play, 'C', "a nope");
	sends(&play, "C+a-nope E+a");
	play_ask(&play, 'L', "l");
	sends(&play, "L+l");
	play_end(&play);
}

static void what_is_unknown_makes_nothing_wait(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_ask(&play, 'E', "e");
	play_ask(&play, 'S', "s");
	play_ask(&play, 'X', "x");
	play_ask(&play, 'R', "r");
	sends(&play, "E+e S-s X+x R+r");
	play_ack(&play, "ESXR");
	sends(&play, "");
	play_config(&play, ONE " Ex:1 Ss:1 Xx:1 Rr:1");
	sends(&play, "E+x S+s X+x R+r");
	play_end(&play);
}

/* The endpoints of a cluster that stays are emptied, once, not removed. */
static void lost_endpoints_become_empty(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Ca:1 Ll:1 Xl:a");
	sends(&play, "E+a");
	play_ack(&play, "E");
	assert_true(play_settled(&play));
	play_config(&play, "Ca:1 Ll:1 Xl:a,2");
	sends(&play, "X+l");
	play_config(&play, ONE);
	sends(&play, "E+a");
	play_end(&play);
}

static void a_type_that_we_never_have(void **state)
{
	const char *names[] = { "x" };
	struct xds_request request = { .type_url = "type.googleapis.com/other",
				       .nonce = "",
				       .reason = "",
				       .subscribe = names,
				       .subscribe_count = 1 };
	struct play play;
	struct zl_err err;

	(void)state;
	begin_with_one(&play);
	assert_int_equal(xds_session_request(play.session, &request, 1, &err), ZL_OK);
	sends(&play, "?-x");
	sends(&play, "");
	play_end(&play);
}

static void a_return_brings_only_differences(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_config(&play, "Ca:1 Cb:2 Cc:1 Ea:1 Eb:1 Ec:1 Ll:1 Xl:1");
	play_return(&play, 'C', "a=ok b=ok gone=77", true);
	sends(&play, "C+b+c E+b+c"); /* the others have not said what they have */
	play_return(&play, 'E', "a=ok b=ok gone=5", false);
	sends(&play, "E+b+c"); /* in case it was too early */
	play_return(&play, 'L', "l=ok old=1", true);
	sends(&play, "L-old");
	play_return(&play, 'X', "l=ok old=1", false);
	sends(&play, "");
	play_ack(&play, "CEL");
	sends(&play, "C-gone");
	play_ack(&play, "C");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void a_return_with_all_needs_nothing(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_return(&play, 'C', "a=ok", true);
	play_return(&play, 'E', "a=ok", false);
	play_return(&play, 'L', "l=ok", true);
	play_return(&play, 'X', "l=ok", false);
	sends(&play, "");
	play_config(&play, "Ca:1 Ea:1 Ll:1 Xl:1");
	sends(&play, "");
	assert_true(play_settled(&play));
	assert_string_equal(play_state(&play, 'X', "l"), "Synced");
	play_end(&play);
}

static void a_return_to_a_cold_server_loses_nothing(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_return(&play, 'C', "a=ok b=ok", true);
	play_return(&play, 'L', "l=ok", true);
	sends(&play, "");
	play_end(&play);
}

static void names_instead_of_all(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_config(&play, "Ca:1 Cb:1 Ea:1 Eb:1 Ll:1 Xl:a");
	play_ask(&play, 'C', "a");
	sends(&play, "C+a");
	play_ack(&play, "C");
	assert_true(play_settled(&play));
	play_ask(&play, 'E', "b");
	sends(&play, "E+b");
	play_ask(&play, 'C', "*");
	sends(&play, "C+b"); /* the other types were not asked for */
	play_drop(&play, 'C', "*");
	play_ack(&play, "C");
	play_config(&play, "Ca:2 Cb:2 Ea:1 Eb:1 Ll:1 Xl:a");
	sends(&play, "C+a");
	play_end(&play);
}

static void an_unsubscribed_name_is_left_alone(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_drop(&play, 'E', "a");
	play_config(&play, "Ca:1 Ea:2 Ll:1 Xl:a");
	sends(&play, "");
	play_ask(&play, 'E', "a");
	sends(&play, "E+a");
	play_end(&play);
}

/* The unsubscription of a removed cluster's endpoints comes when it is there again. */
static void removed_and_added_again_in_a_hurry(void **state)
{
	struct play play;

	(void)state;
	begin_with_one(&play);
	play_config(&play, "Cb:1 Eb:1 Ll:1 Xl:b");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "X+l");
	play_ack(&play, "X");
	sends(&play, "C-a");
	play_config(&play, "Ca:1 Cb:1 Ea:1 Eb:1 Ll:1 Xl:a");
	sends(&play, ""); /* the cluster waits for an answer, and its split with it */
	play_ack(&play, "C");
	sends(&play, "C+a E+a");
	play_drop(&play, 'E', "a");
	play_ask(&play, 'E', "a");
	play_ack(&play, "CE");
	sends(&play, "X+l");
	play_ack(&play, "X");
	sends(&play, "");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void too_many_names(void **state)
{
	static char text[XDS_NAMES_MAX][8];
	static const char *names[XDS_NAMES_MAX];
	struct xds_request request = { .type_url = envoy_type_url(ENVOY_ENDPOINTS),
				       .nonce = "",
				       .reason = "",
				       .subscribe = names,
				       .subscribe_count = XDS_NAMES_MAX };
	struct play play;
	struct zl_err err;

	(void)state;
	play_begin(&play);
	for (size_t i = 0; i < XDS_NAMES_MAX; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%zu", i);
		names[i] = text[i];
	}
	assert_int_equal(xds_session_request(play.session, &request, 1, &err), ZL_OK);
	request.subscribe_count = 1;
	assert_int_equal(xds_session_request(play.session, &request, 1, &err), ZL_ELIMIT);
	play_end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_before_the_first_config),
		cmocka_unit_test(all_in_one_flush_but_what_names_a_new_cluster),
		cmocka_unit_test(an_empty_config_is_settled_at_once),
		cmocka_unit_test(that_there_is_nothing_is_said_once),
		cmocka_unit_test(only_differences),
		cmocka_unit_test(one_in_flight_then_the_newest),
		cmocka_unit_test(back_to_what_is_in_flight),
		cmocka_unit_test(endpoints_follow_a_changed_cluster),
		cmocka_unit_test(endpoints_follow_also_when_one_was_in_flight),
		cmocka_unit_test(an_unacknowledged_cds_holds_up_no_other_type),
		cmocka_unit_test(a_split_waits_for_its_new_cluster),
		cmocka_unit_test(a_split_of_clusters_that_change_waits_for_none),
		cmocka_unit_test(nothing_names_a_cluster_before_it_is_asked_for),
		cmocka_unit_test(many_new_clusters_hold_up_all_splits),
		cmocka_unit_test(clusters_go_when_no_split_can_name_them),
		cmocka_unit_test(listeners_go_first_and_their_names_are_never_removed),
		cmocka_unit_test(each_subscription_is_answered),
		cmocka_unit_test(what_is_unknown_makes_nothing_wait),
		cmocka_unit_test(lost_endpoints_become_empty),
		cmocka_unit_test(a_type_that_we_never_have),
		cmocka_unit_test(a_return_brings_only_differences),
		cmocka_unit_test(a_return_with_all_needs_nothing),
		cmocka_unit_test(a_return_to_a_cold_server_loses_nothing),
		cmocka_unit_test(names_instead_of_all),
		cmocka_unit_test(an_unsubscribed_name_is_left_alone),
		cmocka_unit_test(removed_and_added_again_in_a_hurry),
		cmocka_unit_test(too_many_names),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
