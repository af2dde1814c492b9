// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The probe set: one object, so that its programs share their maps. */
#include "task.bpf.h"
#include "program_time.bpf.h"
#include "tick.bpf.h"
#include "wait_name.bpf.h"
#include "wait_object.bpf.h"
#include "interest.bpf.h"
#include "loop.bpf.h"
#include "ready.bpf.h"
#include "timeout.bpf.h"
#include "wait_reason.bpf.h"
#include "wake.bpf.h"
#include "segment.bpf.h"
#include "stack.bpf.h"
#include "sched.bpf.h"
#include "lifecycle.bpf.h"
#include "sample.bpf.h"
#include "snapshot.bpf.h"
#include "waiting.bpf.h"
#include "flight.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
