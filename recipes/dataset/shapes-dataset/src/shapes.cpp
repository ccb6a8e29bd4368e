// shapes: writes the synthetic detection data set "shapes" in COCO format.
//
//   shapes --count N --first SEED [--out DIR [--expect SHA256]] [--raw FILE]
//
// Image i is drawn from the seed SEED + i alone. DIR receives images/00000000.png and so on,
// annotations.json, and pixels.sha256: the digest, in hexadecimal, over all images of width and
// height (32-bit little-endian) and the RGB bytes. With --expect any other digest is a failure.
// FILE receives the same images for training, all numbers 32-bit little-endian:
//   "SHPRAW1\n", count, then per image: width, height, number of objects,
//   per object: category id (from 1), left, top, width, height in 1/256 pixel; then the RGB bytes.

#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

#include "png.hpp"
#include "scene.hpp"
#include "sha256.hpp"

namespace {

using namespace shapes;

struct Options {
    std::uint64_t count = 0, first = 0;
    std::string out, raw, expect;
};

// A file that is complete or an exception: every write and the close are checked.
class OutputFile {
public:
    explicit OutputFile(const std::string& path)
        : path_(path), file_(std::fopen(path.c_str(), "wb")) {
        if (!file_) fail();
    }

    void write(const void* data, std::size_t size) {
        if (std::fwrite(data, 1, size, file_.get()) != size) fail();
    }
    void write(const Bytes& bytes) { write(bytes.data(), bytes.size()); }
    void write(const std::string& text) { write(text.data(), text.size()); }

    void close() {
        if (std::fclose(file_.release()) != 0) fail();
    }

private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    [[noreturn]] void fail() const { throw std::runtime_error("cannot write `" + path_ + "`"); }

    std::string path_;
    std::unique_ptr<std::FILE, Closer> file_;
};

void put_little_endian(Bytes& out, std::int64_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> shift));
    }
}

std::string eight_digits(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

// A non-negative count of 1/`unit` as a decimal number with two digits.
std::string decimal(std::int64_t value, std::int64_t unit) {
    const std::int64_t hundredths = (value * 100 + unit / 2) / unit;
    const std::string rest = std::to_string(hundredths % 100);
    return std::to_string(hundredths / 100) + (rest.size() < 2 ? ".0" : ".") + rest;
}

// Collects the COCO records while images are made.
class Annotations {
public:
    void add(std::uint64_t image, const Scene& scene) {
        images_ += separator(images_) + "{\"id\":" + std::to_string(image) + ",\"file_name\":\"" +
                   eight_digits(image) + ".png\",\"width\":" + std::to_string(scene.width) +
                   ",\"height\":" + std::to_string(scene.height) + "}";
        for (const Object& object : scene.objects) {
            const Box& box = object.box;
            annotations_ += separator(annotations_) + "{\"id\":" + std::to_string(++last_id_) +
                            ",\"image_id\":" + std::to_string(image) +
                            ",\"category_id\":" + std::to_string(object.category + 1) +
                            ",\"bbox\":[" + decimal(box.left, kPixel) + "," +
                            decimal(box.top, kPixel) + "," + decimal(box.right - box.left, kPixel) +
                            "," + decimal(box.bottom - box.top, kPixel) +
                            "],\"area\":" + decimal(object.samples, 4) + ",\"iscrowd\":0}";
        }
    }

    std::string json() const {
        std::string categories;
        for (std::size_t i = 0; i < kCategories.size(); ++i) {
            categories += separator(categories) + "{\"id\":" + std::to_string(i + 1) +
                          ",\"name\":\"" + std::string(kCategories[i]) + "\"}";
        }
        return "{\"info\":{\"description\":\"shapes, made by code\",\"version\":\"1\"},\n"
               "\"licenses\":[{\"id\":1,\"name\":\"CC0-1.0\"}],\n\"categories\":[" +
               categories + "],\n\"images\":[" + images_ + "],\n\"annotations\":[" + annotations_ +
               "]}\n";
    }

private:
    static std::string separator(const std::string& list) { return list.empty() ? "\n" : ",\n"; }

    std::string images_, annotations_;
    std::uint64_t last_id_ = 0;
};

Bytes raw_header(const Scene& scene) {
    Bytes bytes;
    put_little_endian(bytes, scene.width);
    put_little_endian(bytes, scene.height);
    put_little_endian(bytes, static_cast<std::int64_t>(scene.objects.size()));
    for (const Object& object : scene.objects) {
        const Box& box = object.box;
        put_little_endian(bytes, static_cast<std::int64_t>(object.category) + 1);
        for (const std::int64_t value :
             {box.left, box.top, box.right - box.left, box.bottom - box.top}) {
            put_little_endian(bytes, value);
        }
    }
    return bytes;
}

void write_whole(const std::string& path, const Bytes& bytes) {
    OutputFile file(path);
    file.write(bytes);
    file.close();
}

void write_folder(const Options& options) {
    std::filesystem::create_directories(options.out + "/images");
    Annotations annotations;
    Sha256 digest;
    for (std::uint64_t i = 0; i < options.count; ++i) {
        const Scene scene = make_scene(options.first + i);
        Bytes size;
        put_little_endian(size, scene.width);
        put_little_endian(size, scene.height);
        digest.update(size.data(), size.size());
        digest.update(scene.rgb.data(), scene.rgb.size());
        annotations.add(i, scene);
        write_whole(options.out + "/images/" + eight_digits(i) + ".png",
                    encode_png(scene.rgb, static_cast<std::size_t>(scene.width),
                               static_cast<std::size_t>(scene.height)));
    }
    const std::string hex = digest.hex();
    if (!options.expect.empty() && hex != options.expect) {
        throw std::runtime_error("the pixels have the digest " + hex + ", not the expected one");
    }
    OutputFile json(options.out + "/annotations.json");
    json.write(annotations.json());
    json.close();
    OutputFile sum(options.out + "/pixels.sha256");
    sum.write(hex + "\n");
    sum.close();
}

void write_raw(const Options& options) {
    OutputFile file(options.raw);
    file.write(std::string("SHPRAW1\n"));
    Bytes count;
    put_little_endian(count, static_cast<std::int64_t>(options.count));
    file.write(count);
    for (std::uint64_t i = 0; i < options.count; ++i) {
        const Scene scene = make_scene(options.first + i);
        file.write(raw_header(scene));
        file.write(scene.rgb);
    }
    file.close();
}

std::uint64_t whole_number(const std::string& flag, const std::string& text, std::uint64_t most) {
    const bool digits = !text.empty() && text.size() <= 18 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    const std::uint64_t value = digits ? std::stoull(text) : 0;
    if (!digits || value > most) {
        throw std::invalid_argument("`" + flag + "` takes a whole number up to " +
                                    std::to_string(most) + ", not `" + text + "`");
    }
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string flag = argv[i];
        if (i + 1 == argc) throw std::invalid_argument("`" + flag + "` needs a value");
        const std::string value = argv[i + 1];
        if (flag == "--count") options.count = whole_number(flag, value, 10'000'000);
        else if (flag == "--first") options.first = whole_number(flag, value, 1'000'000'000'000);
        else if (flag == "--out") options.out = value;
        else if (flag == "--raw") options.raw = value;
        else if (flag == "--expect") options.expect = value;
        else throw std::invalid_argument("unknown option `" + flag + "`");
    }
    if (options.count == 0) throw std::invalid_argument("`--count` must be at least 1");
    if (options.out.empty() && options.raw.empty()) {
        throw std::invalid_argument("nothing to write: give `--out DIR` or `--raw FILE`");
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse(argc, argv);
        if (!options.out.empty()) write_folder(options);
        if (!options.raw.empty()) write_raw(options);
        return 0;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "shapes: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shapes: %s\n", error.what());
        return 1;
    }
}
