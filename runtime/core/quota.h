/*===- quota.h - how much of the machine's CPUs a process may use ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_QUOTA_H
#define LLMC_CORE_QUOTA_H

/* The CPUs' time that the control groups in `groups` (/proc/self/cgroup) and all above them grant,
   in CPUs; 0 where there is no limit. `mount` is where they are mounted (/sys/fs/cgroup), as
   version 2 or 1. */
double llmc_cpu_quota(const char *groups, const char *mount);

#endif
