/* SPDX-License-Identifier: Apache-2.0
 *
 * version: of all programs together; they are built and started as one.
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_VERSION_H
#define DR_BASE_VERSION_H

#define DR_VERSION "0.1.0"

#endif
