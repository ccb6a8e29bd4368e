#include <png.h>

#include <csetjmp>

#include "codecs.hpp"

namespace ssd {
namespace {

struct Reader {
    explicit Reader(std::FILE* source) : file(source) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

    std::FILE* file;
    png_structp png = nullptr;
    png_infop info = nullptr;
    char fault[128] = "";
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
    auto* const reader = static_cast<Reader*>(png_get_error_ptr(png));
    std::snprintf(reader->fault, sizeof reader->fault, "%s", message);
    png_longjmp(png, 1);
}

void ignore(png_structp /*png*/, png_const_charp /*message*/) {}

void read(png_structp png, png_bytep to, png_size_t size) {
    auto* const reader = static_cast<Reader*>(png_get_io_ptr(png));
    if (std::fread(to, 1, size, reader->file) != size) png_error(png, "the file ends too early");
}

// Runs a step that calls libpng; a fault becomes an Error.
template <typename Step>
void guarded(Reader& reader, const Step& step) {
    if (setjmp(png_jmpbuf(reader.png)) == 0) step();
    else throw Error(reader.fault);
}

void read_header(Reader& reader) {
    const png_structp png = reader.png;
    png_set_read_fn(png, &reader, read);
    // Sizes are compared with our own limits; libpng's would be another sentence.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    // Of what a file tells beside its pixels, only the orientation is looked at.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                reinterpret_cast<png_const_bytep>("eXIf"), 1);
    png_read_info(png, reader.info);
}

// Asks for 8-bit RGB or RGBA and returns the number of passes over the image.
int set_format(Reader& reader) {
    png_set_expand(reader.png);
    png_set_strip_16(reader.png);
    png_set_gray_to_rgb(reader.png);
    const int passes = png_set_interlace_handling(reader.png);
    png_read_update_info(reader.png, reader.info);
    return passes;
}

// A colour value laid on white, rounded as Pillow rounds.
std::uint8_t on_white(std::uint32_t value, std::uint32_t alpha) {
    const std::uint32_t sum = (value * alpha + 255 * (255 - alpha) + 128) << 7U;
    return static_cast<std::uint8_t>(((sum >> 8U) + sum) >> 15U);
}

void lay_on_white(const std::uint8_t* rgba, std::size_t width, std::uint8_t* rgb) {
    for (std::size_t x = 0; x < width; ++x, rgba += 4) {
        for (std::size_t c = 0; c < 3; ++c) *rgb++ = on_white(rgba[c], rgba[3]);
    }
}

unsigned orientation(const Reader& reader) {
    png_bytep data = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(reader.png, reader.info, &size, &data) == 0) return 1;
    return exif_orientation(data, size);
}

}  // namespace

Image read_png(std::FILE* file) {
    Reader reader(file);
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, fail, ignore);
    if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
    if (reader.info == nullptr) throw Error("libpng cannot start");
    guarded(reader, [&] { read_header(reader); });
    Image image = blank(png_get_image_width(reader.png, reader.info),
                        png_get_image_height(reader.png, reader.info));
    int passes = 1;
    guarded(reader, [&] { passes = set_format(reader); });

    // Interlaced rows come in pieces, which must be complete before they are laid on white.
    const bool clear = png_get_channels(reader.png, reader.info) == 4;
    const std::size_t rgb = image.width * 3, rgba = image.width * 4;
    std::vector<std::uint8_t> rows(clear ? rgba * (passes > 1 ? image.height : 1) : 0);
    const auto row = [&](std::size_t y) {
        return clear ? &rows[passes > 1 ? y * rgba : 0] : &image.rgb[y * rgb];
    };
    guarded(reader, [&] {
        for (int pass = 1; pass <= passes; ++pass) {
            for (std::size_t y = 0; y < image.height; ++y) {
                png_read_row(reader.png, row(y), nullptr);
                if (clear && pass == passes) lay_on_white(row(y), image.width, &image.rgb[y * rgb]);
            }
        }
        png_read_end(reader.png, reader.info);
    });
    return upright(std::move(image), orientation(reader));
}

}  // namespace ssd
