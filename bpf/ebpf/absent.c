/* The eBPF observer of a build without libbpf: it says so. */
#include "observer.h"
#include <errno.h>
#include <stdio.h>

struct observer *ebpf_observer_new(const struct observer_options *options, int *error, char *why,
				   size_t why_size)
{
	(void)options;
	*error = -ENOTSUP;
	snprintf(why, why_size,
		 "this classify was built without eBPF: build it where there is libbpf 1.0 or "
		 "later");
	return NULL;
}
