/* Route tables (RDS) and Secrets (SDS) on a stream. */
#include "play.h"

#include "support/test.h"

#include <string.h>

#define HTTP "Ca:1 Ea:1 Ll:1 Rl:a"

/* Begin with an Envoy that has HTTP, all acknowledged. */
static void begin_with_http(struct play *play)
{
	play_begin(play);
	play_config(play, HTTP);
	play_ask(play, 'C', NULL);
	sends(play, "C+a E+a L+l");
	play_ack(play, "C");
	play_ask(play, 'E', "a");
	play_ask(play, 'L', NULL);
	sends(play, "E+a L+l R+l");
	play_ask(play, 'R', "l");
	sends(play, "R+l");
	play_ack(play, "ELR");
	sends(play, "");
	assert_true(play_settled(play));
}

static void a_changed_table_goes_alone(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:1 Rl:a,more");
	sends(&play, "R+l");
	assert_false(play_settled(&play));
	play_ack(&play, "R");
	sends(&play, "");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void a_table_comes_after_the_clusters_that_it_names(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Ca:2 Ea:1 Ll:1 Rl:a");
	sends(&play, "C+a E+a"); /* and Envoy keeps its answer: a warms */
	play_config(&play, "Ca:2 Cnew:1 Ea:1 Enew:1 Ll:1 Rl:a,new");
	sends(&play, "");
	play_ack(&play, "C");
	sends(&play, "C+new");
	play_ack(&play, "E");
	sends(&play, "E+new");
	play_ack(&play, "CE");
	sends(&play, "R+l");
	play_ack(&play, "R");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void a_cluster_goes_after_the_tables_that_named_it(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Cb:1 Eb:1 Ll:1 Rl:b");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "R+l");
	play_ack(&play, "R");
	sends(&play, "C-a");
	play_end(&play);
}

static void a_refused_table_keeps_the_old_one_and_its_clusters(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Cb:1 Eb:1 Ll:1 Rl:b,bad");
	sends(&play, "C+b E+b");
	play_ack(&play, "CE");
	sends(&play, "R+l");
	play_nack(&play, 'R', "bad");
	sends(&play, "");
	assert_string_equal(play_state(&play, 'R', "l"), "Nacked: bad");
	play_config(&play, "Cb:1 Eb:1 Ll:1 Rl:b");
	sends(&play, "R+l");
	play_ack(&play, "R");
	sends(&play, "C-a");
	play_ack(&play, "C");
	assert_true(play_settled(&play));
	play_end(&play);
}

/* The owner of an outbound changes, and changes back. */
static void a_table_gives_way_to_a_split_and_returns(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Ca:1 Ea:1 Ll:tcp Xl:a");
	sends(&play, "L+l X+l");
	play_ask(&play, 'X', "l");
	sends(&play, "X+l");
	play_ack(&play, "LX");
	assert_true(play_settled(&play));
	play_drop(&play, 'R', "l"); /* the old listener has drained */
	play_config(&play, HTTP);
	sends(&play, "L+l R+l");
	play_ask(&play, 'R', "l"); /* answered by what is on its way */
	play_ack(&play, "LR");
	sends(&play, "");
	assert_true(play_settled(&play));
	play_end(&play);
}

static void a_secret_comes_before_what_names_it_and_changes_alone(void **state)
{
	struct play play;

	(void)state;
	begin_with_http(&play);
	play_config(&play, "Ca:tls Ea:1 Sca:1 Ll:1 Rl:a");
	sends(&play, "C+a E+a S+ca");
	play_ask(&play, 'S', "ca");
	sends(&play, "S+ca");
	play_ack(&play, "CES");
	assert_true(play_settled(&play));
	play_config(&play, "Ca:tls Ea:1 Sca:2 Ll:1 Rl:a");
	sends(&play, "S+ca");
	play_ack(&play, "S");
	assert_true(play_settled(&play));
	play_config(&play, HTTP); /* no longer needed: forgotten, not removed */
	sends(&play, "C+a E+a");
	play_ack(&play, "CE");
	sends(&play, "");
	assert_true(play_settled(&play));
	play_end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_table_goes_alone),
		cmocka_unit_test(a_table_comes_after_the_clusters_that_it_names),
		cmocka_unit_test(a_cluster_goes_after_the_tables_that_named_it),
		cmocka_unit_test(a_refused_table_keeps_the_old_one_and_its_clusters),
		cmocka_unit_test(a_table_gives_way_to_a_split_and_returns),
		cmocka_unit_test(a_secret_comes_before_what_names_it_and_changes_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
