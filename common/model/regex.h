/* model/regex.h - is a text a regular expression that Envoy takes (K15)? Private.
 *
 * RE2's syntax as Envoy uses it: UTF-8, Perl classes, \b, one line. Envoy refuses a whole
 * route table for one bad expression, so what is close to a limit of RE2's is refused
 * too.
 *
 * Threads:  pure.
 */
#pragma once

/* NULL, or why not: "missing closing )". */
const char *regex_fault(const char *expression);
