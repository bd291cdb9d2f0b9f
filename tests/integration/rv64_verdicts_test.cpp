// RV64's verdicts.
// SPDX-License-Identifier: Apache-2.0
