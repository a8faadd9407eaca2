/* SPDX-License-Identifier: MIT */
/* fake_whisper.c -- a whisper.cpp made of the rows of hooks/whisper.def (fake.h).
 *
 *   load            by its own functions, as the real one; NULL where the path has "fail"
 *   FAKE_FULL_RC=N  what whisper_full returns
 */
#define TAF_FULL struct fake_value
/* Which of them have which list is known to those written by hand alone. */
#define TAF_ANY_PARAMS (const char *path, struct fake_batch params)
#define TAF_ANY_ARGS (path, params)
#define FAKE_ROWS "../../hooks/whisper.def"
#define HAND_whisper_init_from_file_with_params FAKE_HAND
#define HAND_whisper_init_from_file_with_params_no_state FAKE_HAND
#define HAND_whisper_init_state FAKE_HAND
#define HAND_whisper_full FAKE_HAND
#define HAND_whisper_full_with_state FAKE_HAND
#include "fake.h"

void *whisper_init_from_file_with_params_no_state(const char *path, struct fake_batch params)
{
	int row = FAKE_whisper_init_from_file_with_params_no_state;
	void *ctx = strstr(path, "fail") ? NULL : malloc(64);

	fake_called(row);
	fake_check(row, fake_batch_is_whole(&params));
	fake_last[row] = (int64_t)(intptr_t)ctx;
	return ctx;
}

void *whisper_init_state(void *ctx)
{
	void *state = ctx ? malloc(64) : NULL;

	fake_called(FAKE_whisper_init_state);
	fake_last[FAKE_whisper_init_state] = (int64_t)(intptr_t)state;
	return state;
}

void *whisper_init_from_file_with_params(const char *path, struct fake_batch params)
{
	int row = FAKE_whisper_init_from_file_with_params;
	void *ctx = whisper_init_from_file_with_params_no_state(path, params);

	fake_called(row);
	if (!whisper_init_state(ctx))
		ctx = NULL;
	fake_last[row] = (int64_t)(intptr_t)ctx;
	return ctx;
}

int whisper_full_with_state(void *ctx, void *state, struct fake_value full, const void *samples,
			    int n)
{
	int row = FAKE_whisper_full_with_state;

	(void)ctx;
	(void)state;
	fake_called(row);
	fake_check(row, fake_value_is_whole(&full) && samples && n == full.n);
	fake_last[row] = fake_setting("FAKE_FULL_RC");
	return (int)fake_last[row];
}

int whisper_full(void *ctx, struct fake_value full, const void *samples, int n)
{
	fake_called(FAKE_whisper_full);
	fake_last[FAKE_whisper_full] = whisper_full_with_state(ctx, ctx, full, samples, n);
	return (int)fake_last[FAKE_whisper_full];
}
