/*
 * What a comparison of two programs needs to know of a run, taken from its JSON report
 * ("classify-report/1"), which may come from anywhere: nothing in it is trusted.
 *
 * Ownership: strings belong to the report's tree, which the facts own. They are the observed
 * program's words in part: renderers escape them.
 */
#ifndef CLASSIFY_RUN_FACTS_H
#define CLASSIFY_RUN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;

struct run_wait {
	const char *reason;
	uint64_t wait_ns; /* of program time */
};

struct run_curve_point {
	double workers;
	double speedup;
};

struct run_prediction {
	const char *model;
	double workers;
	double low, expected, high;
	struct run_curve_point *curve; /* ascending; may be empty */
	size_t curve_cnt;
};

struct run_facts {
	bool is_attached; /* it ran before it was observed */
	bool has_ended;	  /* while it was observed */
	bool has_failed;
	int exit_code;	      /* of those that have failed; a signal's number negated */
	const char **command; /* arguments */
	size_t command_cnt;
	const char *runtime;
	uint32_t cpus_usable;
	double cpu_quota; /* 0: none */
	const char *source;
	uint64_t lost_events;

	uint64_t wall_ns;
	uint64_t neighbour_ns;	 /* that threads queued while other programs had the CPU */
	uint64_t on_cpu_ns;	 /* of all threads */
	uint64_t result_wait_ns; /* of all threads, for what was asked of others */
	uint64_t result_wait_cnt;
	uint64_t computing_ns, starved_ns, idle_ns; /* of program time, as the waits */
	struct run_wait *waits;
	size_t wait_cnt;

	const char *verdict_class;
	const char *subclass; /* NULL: none */
	const char *model;
	uint32_t workers;
	double in_flight_mean, in_flight_peak; /* -1: not known */
	bool polls_in_vain;		       /* its CPU time was no work in part */
	struct run_prediction *predictions;
	size_t prediction_cnt;

	const char *finding_id; /* the most severe one that is no mere information; NULL: none */
	const char *finding_summary;
	const char *action;
	const char *advised_model;
	uint32_t advised_workers; /* 0: not said */
	const char *advice;

	struct cJSON *tree;
};

/*
 * Reads a report. Returns 0, or -errno with one line of cause in @why ("verdict.class: missing").
 * Release @facts either way.
 */
int run_facts_read(struct run_facts *facts, FILE *in, char *why, size_t why_size);

/* Accepts zeroed ones. */
void run_facts_release(struct run_facts *facts);

#endif
