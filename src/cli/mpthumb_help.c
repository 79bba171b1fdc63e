/* SPDX-License-Identifier: MIT */
/* The texts of --help and --version. */
#include "mpthumb_help.h"

#include <stdio.h>

#include <jpeglib.h>
#include <lcms2.h>
#include <libdeflate.h>
#include <png.h>

#include "codec.h"
#include "mppool.h"

#define TEXT_OF(value)  #value
#define VALUE_OF(macro) TEXT_OF(macro)

#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME "libjpeg-turbo " VALUE_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME "libjpeg " VALUE_OF(JPEG_LIB_VERSION)
#endif

/* A format for the titles and the names of the image formats. */
static const char help_format[] =
    "Usage: mpthumb [OPTION]... INPUT...\n"
    "       mpirun -n N mpthumb [OPTION]... INPUT...\n"
    "Makes a thumbnail of each %s file that is named or lies in a named directory.\n"
    "\n"
    "Inputs\n"
    "      --files-from FILE   also read names from FILE, one per line; -: standard input\n"
    "  -0, --null              names in FILE end with a zero byte, as written by find -print0\n"
    "\n"
    "Outputs\n"
    "  -o, --output DIR        output directory (default: thumbs)\n"
    "      --flat              put all thumbnails into DIR itself, without subdirectories\n"
    "      --beside            put each thumbnail next to its image; needs --suffix\n"
    "      --suffix TEXT       insert TEXT before the extension of each thumbnail\n"
    "  -f, --format FORMAT     %s; same: that of the source\n"
    "                          (default: same)\n"
    "  -q, --quality N         quality of JPEG thumbnails, 1 to 100 (default: 75)\n"
    "      --progressive       write progressive JPEG\n"
    "      --optimize          write smaller files, more slowly\n"
    "      --background COLOR  colour behind transparent pixels in a JPEG: RRGGBB, white or\n"
    "                          black (default: white)\n"
    "\n"
    "Picture\n"
    "  -s, --size N|WxH        the box, in pixels, into which thumbnails fit (default: 50x50)\n"
    "      --fit HOW           inside: fit into the box; cover: fill the box and crop; fill: fill\n"
    "                          the box and distort (default: inside)\n"
    "      --enlarge           also enlarge small images\n"
    "  -b, --blur RADIUS       standard deviation of the Gaussian blur, in pixels of the image;\n"
    "                          0: no blur (default: 2)\n"
    "      --no-orient         ignore the EXIF orientation\n"
    "      --exact             exactly Pillow's pixels; slower, and needs more memory\n"
    "      --max-pixels N      refuse larger images (default: 268435456)\n"
    "      --on-truncated HOW  fail, or keep: use the part of the file that exists\n"
    "                          (default: fail)\n"
    "\n"
    "Run\n"
    "  -j, --workers N         worker processes per rank (default: the cores it may use)\n"
    "      --read-ahead N      inputs that each worker reads ahead if reading is slow; 0: none\n"
    "                          (default: 16)\n"
    "      --shard I/N         process only part I of N of the inputs, I from 1 to N\n"
    "      --dry-run           print what would be done, write nothing\n"
    "  -v, --verbose           print a line for each file\n"
    "      --quiet             print errors only\n"
    "      --help              print this text\n"
    "      --version           print the versions of mpthumb and its libraries\n"
    "\n"
    "Resuming and limits\n"
    "      --resume            continue an earlier run: skip what its journal says is done\n"
    "      --retry-failed      continue an earlier run: process only what failed\n"
    "      --skip-existing     skip images whose thumbnail exists, whichever program made it\n"
    "      --verify            compare the thumbnails with the checksums in the journal; with\n"
    "                          --resume, make missing and different thumbnails again\n"
    "      --timeout SEC       a file that takes longer fails; 0: no limit (default: 300)\n"
    "      --retries N         further attempts after a crash, at the end of the run (default: 1)\n"
    "      --max-failures N|N%% stop early after N failures, or when N%% of at least 100 finished\n"
    "                          inputs failed\n"
    "      --time-limit SEC|auto\n"
    "                          stop early enough to end within SEC seconds; auto: within the\n"
    "                          time limit of the Slurm job\n"
    "      --journal FILE      write the journal to FILE, not to OUTPUT/.mpthumb/journal.jsonl\n"
    "      --journal-sync SEC  write the journal to disk at least every SEC seconds (default: 5)\n"
    "      --no-journal        write no journal\n"
    "      --joblog FILE       write a line for each file in the format of GNU parallel --joblog\n"
    "\n"
    "Exit status: 0 all done; 1 some inputs failed, the others are done; 2 usage error;\n"
    "70 internal error; 75 stopped early, run again with --resume to continue.\n";

const char *mpthumb_help_text(void)
{
    static char text[sizeof help_format + 256];
    char titles[128], names[128];
    snprintf(text, sizeof text, help_format, image_codec_titles(titles, sizeof titles),
             image_codec_names("same", names, sizeof names));
    return text;
}

const char *mpthumb_version_text(void)
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
