/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <errno.h>

#include "../policy/text.h"
#include "capture.h"
#include "crumb.h"
#include "gate.h"

_Atomic(uint32_t) taf_devices_told[TAF_APIS];

/* The first table of that api that can say. */
static int ask(enum taf_api api, uint32_t number, struct taf_device *out)
{
	int saved = errno, err = -ENOSYS;

	if (taf_tls.in_callback || !taf_capture_shut(0))
		return -EAGAIN;
	taf_tls.inside++;
	for (int t = 0; t < taf_table_count && err == -ENOSYS; t++) {
		const struct taf_ops *ops = taf_tables[t]->ops;

		if (taf_api_of(taf_tables[t]->engine) == api && ops && ops->device)
			err = ops->device(number, NULL, out);
	}
	taf_tls.inside--;
	taf_capture_free();
	errno = saved;
	return err;
}

static void note(enum taf_api api, uint32_t number, const struct taf_device *d)
{
	char buf[768]; /* a name that is all escapes has room */
	struct taf_text t;
	struct taf_rec r = { .kind = TAF_NOTE,
			     .phase = TAF_MARK,
			     .engine = taf_engine_of_api(api),
			     .class = "device_name",
			     .extra = buf };

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, ",\"device\":");
	taf_text_u64(&t, number);
	taf_text_put(&t, ",\"name\":");
	taf_text_json(&t, d->name, taf_len(d->name));
	if (d->bytes) {
		taf_text_put(&t, ",\"total\":");
		taf_text_u64(&t, d->bytes);
	}
	taf_crumb(&r);
}

void taf_device_tell(enum taf_api api, uint32_t number)
{
	struct taf_device d = { .bytes = 0 };
	enum taf_state state = taf_state_now();
	uint32_t bit = 1u << number;
	int err;

	if ((state != TAF_ACTIVE && state != TAF_LEAVING) || taf_is_other_process())
		return;
	err = ask(api, number, &d);
	if (err == -EAGAIN || err == -ENODEV ||
	    (atomic_fetch_or(&taf_devices_told[api], bit) & bit))
		return;
	d.name[sizeof(d.name) - 1] = '\0';
	if (!err && d.name[0])
		note(api, number, &d);
}

void taf_devices_forget(void)
{
	for (int api = 0; api < TAF_APIS; api++)
		atomic_store(&taf_devices_told[api], 0);
}
