// SPDX-License-Identifier: Apache-2.0
//
// Hardhat is a second, independent EVM node for differential tests; its defaults are what we want.

export default {};
