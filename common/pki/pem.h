/* pki/pem.h - is a text that somebody wrote the certificate and key that it should be?
 *
 * Who is handed what cannot be loaded refuses it, at a moment when nobody looks; so it is
 * looked at first.
 *
 * Threads:  any.
 * Lifetime: nothing is kept.
 */
#pragma once

#include <stdbool.h>

enum pki_key { PKI_KEY_NONE, PKI_KEY_RSA, PKI_KEY_ECDSA };

/* What kind the private key in key is, which belongs to the first certificate in chain;
 * both may be one text. PKI_KEY_NONE: one of them is not there or cannot be read, they do
 * not belong together, or no Envoy takes such a key (RSA below 2048 bits, other kinds).
 */
enum pki_key pki_pem_pair(const char *chain, const char *key);

/* True if pem holds at least one certificate. */
bool pki_pem_is_chain(const char *pem);
