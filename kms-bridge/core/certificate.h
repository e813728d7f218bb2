/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate: X.509 v3 certificates (RFC 5280, RFC 8410) of root generations and of the keys derived from them: what
 * plain tools understand. Everything in them follows from the chain and the root, so that each node that holds the
 * generation gives the same bytes. They are written and signed here, and not by a library's objects: the signing key
 * never leaves locked memory. dr_keys_certificate_root and _app (core/keys.h) make them.
 *
 *   root         subject = issuer = O "derot 0x<contract>", CN "derot root generation <number>"; key: the
 * generation's signing key; valid from its publication, for ever; critical basicConstraints CA:TRUE pathlen 0 and
 *                keyUsage keyCertSign; subjectKeyIdentifier; context = the context of the publication
 *                (governance/root.h); generation
 *   application  issuer = that root; O "derot 0x<contract>", OU the purpose, CN the first 16 bytes of the app hash
 *                in hex; key: Ed25519 with the derived key as its seed; valid from the later of the epoch's begin and
 *                the generation's publication, for ever; critical keyUsage digitalSignature; extendedKeyUsage
 *                serverAuth, clientAuth (purpose tls); authority- and subjectKeyIdentifier; context = the input of
 *                the derivation (kms-bridge/derivation.h); generation; epoch; commitment
 *   serial       20 bytes of SHA-256 over everything behind it, its first two bits 01: positive, of one length
 *   key ids      first 20 bytes of SHA-256(public key) (RFC 7093, 2, method 1)
 *   commitment   SHA-256("derot-commitment-v1" ‖ u16 length ‖ input ‖ element). A holder, who has the element and
 *                its proof, can show that a certificate of another key is false; to others it tells nothing
 *
 * "For ever" is RFC 5280's 99991231235959Z: what ends a right is the chain, and who asks for the key again.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_CERTIFICATE_H
#define DR_CORE_CERTIFICATE_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* Ours: below an arc made from a UUID (ITU-T X.667), so that nobody need assign it. None is critical. */
#define DR_OID_ARC        "2.25.147685682472378872222960868619016953377"
#define DR_OID_CONTEXT    DR_OID_ARC ".1" /* OCTET STRING */
#define DR_OID_GENERATION DR_OID_ARC ".2" /* INTEGER */
#define DR_OID_EPOCH      DR_OID_ARC ".3" /* INTEGER */
#define DR_OID_COMMITMENT DR_OID_ARC ".4" /* OCTET STRING of 32 */

/* dr_certificate_commitment: see above; input is at most 65535 bytes (a bug otherwise). */
void dr_certificate_commitment(uint8_t out[static 32], struct dr_bytes input, const uint8_t element[static 32]);

#endif
