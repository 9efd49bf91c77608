/*===- quota.c - how much of the machine's CPUs a process may use ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "quota.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a small file's first line; 0 where that fails. */
static int read_line(const char *folder, const char *name, char *line, size_t size) {
  char path[2 * PATH_MAX];
  FILE *file;
  int good;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "re");
  if (!file)
    return 0;
  good = fgets(line, (int)size, file) != NULL;
  fclose(file);
  return good;
}

/* The quota that is set for one group; 0 where there is none. */
static double read_quota(const char *folder, int version) {
  char line[64], period_line[64];
  double quota, period;
  if (version == 2) {
    /* "max 100000" or "150000 100000", in microseconds. */
    char *end;
    if (!read_line(folder, "cpu.max", line, sizeof line))
      return 0;
    quota = strtod(line, &end);
    period = strtod(end, NULL);
  } else {
    if (!read_line(folder, "cpu.cfs_quota_us", line, sizeof line) ||
        !read_line(folder, "cpu.cfs_period_us", period_line, sizeof period_line))
      return 0;
    quota = strtod(line, NULL);
    period = strtod(period_line, NULL);
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

/* The least quota of a group and all above it. */
static double find_least(const char *mount, const char *group, int version) {
  char folder[PATH_MAX];
  size_t root = strlen(mount);
  double least = 0;
  if (root + strlen(group) >= sizeof folder)
    return 0;
  strcpy(folder, mount);
  strcpy(folder + root, group);
  for (;;) {
    double quota = read_quota(folder, version);
    char *slash = strrchr(folder + root, '/');
    if (quota > 0 && (least == 0 || quota < least))
      least = quota;
    if (!slash)
      return least;
    *slash = '\0';
  }
}

/* Whether `name` is one of the controllers in `list`, which commas separate. */
static int lists(const char *list, const char *name) {
  size_t length = strlen(name);
  for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
      return 1;
  return 0;
}

double llmc_cpu_quota(const char *groups, const char *mount) {
  char line[PATH_MAX], controller_mount[PATH_MAX];
  double least = 0;
  FILE *file = fopen(groups, "re");
  if (!file)
    return 0;
  /* "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1. */
  while (fgets(line, sizeof line, file)) {
    char *controllers = strchr(line, ':'),
         *group = controllers ? strchr(controllers + 1, ':') : NULL;
    double quota = 0;
    if (!group)
      continue;
    *group++ = '\0';
    ++controllers;
    group[strcspn(group, "\n")] = '\0';
    if (*controllers == '\0') {
      quota = find_least(mount, group, 2);
    } else if (lists(controllers, "cpu")) {
      snprintf(controller_mount, sizeof controller_mount, "%s/cpu", mount);
      quota = find_least(controller_mount, group, 1);
    }
    if (quota > 0 && (least == 0 || quota < least))
      least = quota;
  }
  fclose(file);
  return least;
}
