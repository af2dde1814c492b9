/* The schemas in docs/ as text, put here at build time by embed.cmake. */
#ifndef CLASSIFY_REPORT_SCHEMA_H
#define CLASSIFY_REPORT_SCHEMA_H

extern const char report_schema[];
extern const char verification_schema[];

#endif
