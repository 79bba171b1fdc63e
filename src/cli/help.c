/* The texts of --help and --version: see help.h. */
#include "help.h"

#include <stdio.h>

#include <jpeglib.h>
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
    "\n"
    "Picture\n"
    "  -s, --size N|WxH        fits inside this box, in pixels; never enlarged (50x50)\n"
    "  -b, --blur RADIUS       Gaussian standard deviation in the image's pixels; 0: none (2)\n"
    "      --no-orient         leave the EXIF orientation alone\n"
    "      --exact             Pillow's very pixels: slower, and the whole image in memory\n"
    "\n"
    "Run\n"
    "  -j, --workers N         worker processes of each rank (the cores it may use)\n"
    "      --read-ahead N      inputs each worker reads ahead where that is slow; 0: none (16)\n"
    "  -v, --verbose           one line for each file\n"
    "      --quiet             nothing but errors\n"
    "      --dry-run           say what would be done, write nothing\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 all done, 1 some inputs failed (all others done), 2 usage, 70 internal "
    "error.\n";

const char *help_text(void)
{
    return help;
}

const char *version_text(void)
{
    static char text[512];
    snprintf(text, sizeof text, "mpthumb %s\n%s\n%s\nlibpng %s\nworkers confined by %s\n",
             MPP_VERSION, MPP_MPI_NAME, JPEG_NAME, png_get_libpng_ver(NULL), mpp_confinement());
    return text;
}
