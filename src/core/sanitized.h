/* SPDX-License-Identifier: Apache-2.0
 * SANITIZED: whether this build runs under AddressSanitizer or ThreadSanitizer, which reserve
 * terabytes of addresses, of which limits on memory know nothing, and report on standard error. */
#ifndef CORE_SANITIZED_H
#define CORE_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
