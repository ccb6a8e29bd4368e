#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "codecs.hpp"
// Needs what <cstdio> declares.
#include <jpeglib.h>

namespace ssd {
namespace {

constexpr long kMostMemory = 3L << 28;  // bytes that a progressive image may take beside its pixels
constexpr int kMostScans = 500;         // a small file may ask for work without end

struct Reader {
    explicit Reader(std::FILE* file);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { jpeg_destroy_decompress(&info); }

    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    jpeg_progress_mgr progress{};
    jpeg_source_mgr source{};
    std::FILE* input;
    std::jmp_buf place{};
    char fault[JMSG_LENGTH_MAX] = "";
    JOCTET buffer[16384];
};

template <typename Info>
Reader& reader_of(Info info) {
    return *static_cast<Reader*>(info->client_data);
}

[[noreturn]] void leave(Reader& reader, const char* fault) {
    std::snprintf(reader.fault, sizeof reader.fault, "%s", fault);
    std::longjmp(reader.place, 1);
}

[[noreturn]] void fail(j_common_ptr info) {
    Reader& reader = reader_of(info);
    char fault[JMSG_LENGTH_MAX];
    info->err->format_message(info, fault);
    leave(reader, fault);
}

void ignore(j_common_ptr /*info*/, int /*level*/) {}

void count_scans(j_common_ptr info) {
    Reader& reader = reader_of(info);
    if (reader.info.input_scan_number > kMostScans) leave(reader, "it has more than 500 scans");
}

boolean fill(j_decompress_ptr info) {
    Reader& reader = reader_of(info);
    reader.source.next_input_byte = reader.buffer;
    reader.source.bytes_in_buffer =
        std::fread(reader.buffer, 1, sizeof reader.buffer, reader.input);
    if (reader.source.bytes_in_buffer == 0) leave(reader, "the file ends too early");
    return TRUE;
}

void skip(j_decompress_ptr info, long count) {
    jpeg_source_mgr& source = *info->src;
    while (count > static_cast<long>(source.bytes_in_buffer)) {
        count -= static_cast<long>(source.bytes_in_buffer);
        fill(info);
    }
    if (count <= 0) return;
    source.next_input_byte += count;
    source.bytes_in_buffer -= static_cast<std::size_t>(count);
}

void nothing(j_decompress_ptr /*info*/) {}

Reader::Reader(std::FILE* file) : input(file) {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    errors.emit_message = ignore;
    progress.progress_monitor = count_scans;
    source = {nullptr, 0, nothing, fill, skip, jpeg_resync_to_restart, nothing};
}

// Runs a step that calls libjpeg; a fault becomes an Error.
template <typename Step>
void guarded(Reader& reader, const Step& step) {
    if (setjmp(reader.place) == 0) step();
    else throw Error(reader.fault);
}

void read_header(Reader& reader) {
    jpeg_decompress_struct& info = reader.info;
    info.client_data = &reader;
    jpeg_create_decompress(&info);
    info.src = &reader.source;
    info.progress = &reader.progress;
    info.mem->max_memory_to_use = kMostMemory;
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info, TRUE);
}

// Inks laid on white paper, rounded as Pillow rounds. Adobe stores them inverted, and so does
// everybody else.
void mix(const JSAMPLE* cmyk, std::size_t width, std::uint8_t* rgb) {
    for (std::size_t x = 0; x < width; ++x, cmyk += 4) {
        for (std::size_t c = 0; c < 3; ++c) {
            const unsigned black = cmyk[3], ink = (255U - cmyk[c]) * black + 128;
            *rgb++ = static_cast<std::uint8_t>(black - (((ink >> 8U) + ink) >> 8U));
        }
    }
}

// Of the first EXIF marker.
unsigned orientation(const Reader& reader) {
    static const char exif[] = "Exif\0";  // and the zero that ends every literal
    for (const jpeg_marker_struct* m = reader.info.marker_list; m != nullptr; m = m->next) {
        if (m->data_length > sizeof exif && std::memcmp(m->data, exif, sizeof exif) == 0) {
            return exif_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
        }
    }
    return 1;
}

}  // namespace

Image read_jpeg(std::FILE* file) {
    Reader reader(file);
    jpeg_decompress_struct& info = reader.info;
    guarded(reader, [&] { read_header(reader); });
    if (info.num_components != 1 && info.num_components != 3 && info.num_components != 4) {
        throw Error("it has " + std::to_string(info.num_components) + " colour channels");
    }
    const unsigned turned = orientation(reader);  // libjpeg forgets the markers when it finishes
    Image image = blank(info.image_width, info.image_height);
    const bool inks = info.num_components == 4;
    std::vector<JSAMPLE> cmyk(inks ? image.width * 4 : 0);
    guarded(reader, [&] {
        info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            std::uint8_t* const to = &image.rgb[info.output_scanline * image.width * 3];
            JSAMPROW row = inks ? cmyk.data() : to;
            jpeg_read_scanlines(&info, &row, 1);
            if (inks) mix(cmyk.data(), image.width, to);
        }
        jpeg_finish_decompress(&info);
    });
    return upright(std::move(image), turned);
}

}  // namespace ssd
