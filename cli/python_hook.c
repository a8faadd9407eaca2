/* SPDX-License-Identifier: MIT */
/* python_hook.c -- the Python that refuses imports during a hold.
 *
 * Python runs sitecustomize before the program and in every child that gets the
 * same environment.  Ours takes its folder out of sys.path, so that the program
 * sees the path it would have had, puts one finder in front, and then runs the
 * sitecustomize that would have been found without it.
 *
 * TAFFRAIL_HOLD is "UNTIL TEXT": seconds since 1970, or 0 where nobody knows, and
 * what the ImportError says.  A package that is looked for and not imported
 * (importlib.util.find_spec) is found as ever; one that is not installed is not
 * found as ever.
 */
#include "python.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"
#include "state_cli.h"

static const char hook[] =
	"# Written by taffrail-python, which puts this folder into PYTHONPATH during a hold.\n"
	"import os, sys, time\n"
	"\n"
	"\n"
	"class _TaffrailLoader:\n"
	"    def create_module(self, spec):\n"
	"        raise ImportError('taffrail: %s is not imported: %s'\n"
	"                          % (spec.name, _TaffrailFinder.text), name=spec.name)\n"
	"\n"
	"    def exec_module(self, module):\n"
	"        pass\n"
	"\n"
	"\n"
	"class _TaffrailFinder:\n"
	"    names = frozenset('''"
#define M(name) #name " "
#include "gpu_modules.def"
	"'''.split())\n"
	"    until, _, text = os.environ.get('TAFFRAIL_HOLD', '').partition(' ')\n"
	"    until = float(until) if until.isdigit() else -1.0\n"
	"\n"
	"    @classmethod\n"
	"    def find_spec(cls, name, path=None, target=None):\n"
	"        if name not in cls.names or 0 < cls.until < time.time():\n"
	"            return None\n"
	"        for finder in sys.meta_path:\n"
	"            if finder is not cls and hasattr(finder, 'find_spec'):\n"
	"                spec = finder.find_spec(name, path, target)\n"
	"                if spec is not None:\n"
	"                    spec.loader = _TaffrailLoader()\n"
	"                    return spec\n"
	"        return None\n"
	"\n"
	"\n"
	"def _taffrail():\n"
	"    here = os.path.dirname(os.path.abspath(__file__))\n"
	"    sys.path[:] = [p for p in sys.path if p != here]\n"
	"    if _TaffrailFinder.until >= 0 and os.environ.get('TAFFRAIL', '').lower() not in (\n"
	"            'off', 'no', 'false', '0'):\n"
	"        sys.meta_path.insert(0, _TaffrailFinder)\n"
	"    from importlib.machinery import PathFinder\n"
	"    from importlib.util import module_from_spec\n"
	"    spec = PathFinder.find_spec('sitecustomize', sys.path)\n"
	"    if spec is not None:\n"
	"        module = sys.modules['sitecustomize'] = module_from_spec(spec)\n"
	"        spec.loader.exec_module(module)\n"
	"\n"
	"\n"
	"_taffrail()\n";

static bool is_written(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[sizeof(hook)];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof(hook) - 1 && !memcmp(text, hook, sizeof(hook) - 1);
}

int taf_python_hook(char dir[PATH_MAX])
{
	struct taf_state_dir state;
	char path[PATH_MAX], why[PATH_MAX + 160];
	int err = taf_state_find(NULL, &state);

	if (!err && !taf_state_check(&state, why, sizeof(why)))
		err = -EACCES;
	if (!err)
		err = taf_state_make(&state);
	if (err)
		return err;
	taf_state_sub(&state, "python-" TAF_VERSION, dir, PATH_MAX);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	if ((size_t)snprintf(path, sizeof(path), "%s/sitecustomize.py", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	return is_written(path) ? 0 : taf_replace(path, hook, sizeof(hook) - 1, false);
}
