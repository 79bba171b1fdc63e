/* The texts of --help and --version: see mpthumb_help.h. */
#include "mpthumb_help.h"

#include <stdio.h>

#include <jpeglib.h>
#include <lcms2.h>
#include <libdeflate.h>
#include <png.h>

#include "mppool.h"

#define TEXT_OF(value)  #value
#define VALUE_OF(macro) TEXT_OF(macro)

#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME "libjpeg-turbo " VALUE_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME "libjpeg " VALUE_OF(JPEG_LIB_VERSION)
#endif

static const char help[] =
    "Usage: mpthumb [OPTION]... INPUT...\n"
    "       mpirun -n N mpthumb [OPTION]... INPUT...\n"
    "Makes a thumbnail of every JPEG and PNG file named or found below a directory named.\n"
    "\n"
    "Inputs\n"
    "      --files-from FILE   also the files named in FILE, one a line; - is standard input\n"
    "  -0, --null              names in FILE end with a zero byte, as from find -print0\n"
    "\n"
    "Outputs\n"
    "  -o, --output DIR        where the thumbnails go (thumbs)\n"
    "      --flat              all into DIR itself, without the directories of the inputs\n"
    "      --beside            next to each image; needs --suffix\n"
    "      --suffix TEXT       goes before the extension\n"
    "  -f, --format FORMAT     same (by the name, or else the content), jpeg or png (same)\n"
    "  -q, --quality N         of JPEG, 1 to 100 (75)\n"
    "      --progressive       JPEG in several scans\n"
    "      --optimize          smaller files, made more slowly\n"
    "      --background COLOR  below what is transparent in a JPEG: RRGGBB, white or black "
    "(white)\n"
    "\n"
    "Picture\n"
    "  -s, --size N|WxH        the box, in pixels (50x50)\n"
    "      --fit HOW           inside the box; cover it, cut evenly; fill it, distorted (inside)\n"
    "      --enlarge           small images too\n"
    "  -b, --blur RADIUS       Gaussian standard deviation in the image's pixels; 0: none (2)\n"
    "      --no-orient         leave the EXIF orientation alone\n"
    "      --exact             Pillow's very pixels: slower, and the whole image in memory\n"
    "      --max-pixels N      larger images are refused (268435456)\n"
    "      --on-truncated HOW  fail; or keep what there is of a file that is cut off (fail)\n"
    "\n"
    "Run\n"
    "  -j, --workers N         worker processes of each rank (the cores it may use)\n"
    "      --read-ahead N      inputs each worker reads ahead where that is slow; 0: none (16)\n"
    "      --shard I/N         this share of the inputs, from 1, by their names\n"
    "      --dry-run           say what would be done, write nothing\n"
    "  -v, --verbose           one line for each file\n"
    "      --quiet             nothing but errors\n"
    "      --help, --version\n"
    "\n"
    "Ends\n"
    "      --resume            take up a run that was stopped: what its journal proves done stays\n"
    "      --retry-failed      take up only what failed\n"
    "      --skip-existing     leave out what has a thumbnail of any kind\n"
    "      --verify            hold thumbnails beside the journal; with --resume, make anew what "
    "differs\n"
    "      --timeout SEC       a file that takes longer is a failure; 0: never (300)\n"
    "      --retries N         further attempts after a crash, at the end of the run (1)\n"
    "      --max-failures N|N%\n"
    "                          stop early when so many failed, or that share of 100 or more\n"
    "      --time-limit SEC|auto\n"
    "                          stop early, so that the run ends by then; auto: Slurm's limit\n"
    "      --journal FILE      instead of OUTPUT/.mpthumb/journal.jsonl\n"
    "      --journal-sync SEC  it is on disk at the latest so long after the event (5)\n"
    "      --no-journal        write none\n"
    "      --joblog FILE       a line for each file in the columns of GNU parallel\n"
    "\n"
    "Exit status: 0 all done, 1 some inputs failed (all others done), 2 usage, 70 internal "
    "error,\n75 stopped early: --resume takes it up.\n";

const char *help_text(void)
{
    return help;
}

const char *version_text(void)
{
    static char text[512];
    int lcms = cmsGetEncodedCMMversion();
    snprintf(
        text, sizeof text,
        "mpthumb %s\n%s\n%s\nlibpng %s\nlibdeflate %s\nlcms2 %d.%02d\nworkers confined by %s\n",
        MPP_VERSION, MPP_MPI_NAME, JPEG_NAME, png_get_libpng_ver(NULL), LIBDEFLATE_VERSION_STRING,
        lcms / 1000, lcms % 1000 / 10, mpp_confinement());
    return text;
}
