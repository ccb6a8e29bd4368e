// ssd-native: finds objects in raw frames.
//
//   ssd-native --weights FILE [--threshold 0.3] [--overlap 0.5] [--max-detections 100]
//              [--logits] [--timing]
//   ssd-native --self-test
//
// Standard input is a row of frames: the bytes "SSDF", width and height (32-bit little-endian),
// then width * height * 3 bytes of RGB, rows from the top. Each frame is answered by one line
//   {"detections":[{"category_id":3,"score":0.981,"bbox":[left,top,width,height]}]}
// in pixels of the frame, best first. With --logits the answer is, instead, all class logits
// [anchors][classes] and then all box offsets [anchors][4] as little-endian 32-bit floats.
// --timing reports the CPU time of each part on standard error at the end.
// Exit status: 0 done, 1 the input is at fault, 2 the command line is.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <string>

#include "engine.hpp"
#include "postprocess.hpp"
#include "selftest.hpp"
#include "weights.hpp"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

namespace {

using namespace ssd;

constexpr std::size_t kLongestSide = 16384;
constexpr std::size_t kMostPixels = std::size_t{1} << 26U;

struct Usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::string weights;
    Rules rules;
    bool logits = false, timing = false, self_test = false;
};

double number(const std::string& flag, const char* text, double least, double most) {
    char* end = nullptr;
    const double value = std::strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most)) {
        char message[200];
        std::snprintf(message, sizeof message, "`%s` takes a number from %g to %g", flag.c_str(),
                      least, most);
        throw Usage(message);
    }
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--logits") options.logits = true;
        else if (flag == "--timing") options.timing = true;
        else if (flag == "--self-test") options.self_test = true;
        else if (i + 1 == argc) throw Usage("unknown option or missing value: `" + flag + "`");
        else if (flag == "--weights") options.weights = argv[++i];
        else if (flag == "--threshold")
            options.rules.threshold = static_cast<float>(number(flag, argv[++i], 0, 1));
        else if (flag == "--overlap")
            options.rules.overlap = static_cast<float>(number(flag, argv[++i], 0, 1));
        else if (flag == "--max-detections")
            options.rules.most = static_cast<std::size_t>(number(flag, argv[++i], 1, 10000));
        else throw Usage("unknown option `" + flag + "`");
    }
    if (options.weights.empty() && !options.self_test) throw Usage("`--weights FILE` is needed");
    return options;
}

struct Frame {
    std::size_t width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

std::size_t little_endian(const unsigned char* bytes) {
    return bytes[0] | static_cast<std::size_t>(bytes[1]) << 8U |
           static_cast<std::size_t>(bytes[2]) << 16U | static_cast<std::size_t>(bytes[3]) << 24U;
}

// The next frame; false at the end of the input.
bool read_frame(std::FILE* input, Frame& frame) {
    unsigned char head[12];
    const std::size_t got = std::fread(head, 1, sizeof head, input);
    if (got == 0 && std::feof(input) != 0) return false;
    if (got < sizeof head) throw Error("the input ends inside a frame's header");
    if (std::memcmp(head, "SSDF", 4) != 0) throw Error("a frame does not begin with `SSDF`");
    frame.width = little_endian(head + 4);
    frame.height = little_endian(head + 8);
    const bool sensible = frame.width >= 1 && frame.height >= 1 && frame.width <= kLongestSide &&
                          frame.height <= kLongestSide && frame.width * frame.height <= kMostPixels;
    if (!sensible) {
        throw Error("a frame of " + std::to_string(frame.width) + " x " +
                    std::to_string(frame.height) +
                    " pixels is outside of 1 x 1 to 16384 x 16384 and 64 million pixels");
    }
    frame.rgb.resize(frame.width * frame.height * 3);
    if (std::fread(frame.rgb.data(), 1, frame.rgb.size(), input) != frame.rgb.size()) {
        throw Error("the input ends inside a frame");
    }
    return true;
}

void print_detections(const std::vector<Detection>& detections) {
    std::fputs("{\"detections\":[", stdout);
    const char* separator = "";
    for (const Detection& d : detections) {
        std::printf("%s{\"category_id\":%zu,\"score\":%.6f,\"bbox\":[%.2f,%.2f,%.2f,%.2f]}",
                    separator, d.category, static_cast<double>(d.score),
                    static_cast<double>(d.left), static_cast<double>(d.top),
                    static_cast<double>(d.width), static_cast<double>(d.height));
        separator = ",";
    }
    std::fputs("]}\n", stdout);
}

void write_floats(const float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &values[i], sizeof bits);
        for (unsigned shift = 0; shift < 32; shift += 8)
            std::putchar(static_cast<int>(bits >> shift & 255U));
    }
}

// CPU time of the parts, over all frames.
struct Timing {
    std::clock_t network = 0, decoding = 0;
    std::size_t frames = 0;

    void print() const {
        const double scale = 1000.0 / static_cast<double>(CLOCKS_PER_SEC) /
                             static_cast<double>(frames > 0 ? frames : 1);
        std::fprintf(stderr, "frames %zu, CPU ms a frame: resize and network %.4f, boxes %.4f\n",
                     frames, static_cast<double>(network) * scale,
                     static_cast<double>(decoding) * scale);
    }
};

// Frames and logits are bytes, which Windows would otherwise translate.
void use_binary_pipes() {
#ifdef _WIN32
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
}

void answer_frames(const Options& options) {
    const Model model = read_model(options.weights);
    Engine engine(model);
    const Decoder decoder(model);
    Timing timing;
    for (Frame frame; read_frame(stdin, frame); ++timing.frames) {
        const std::clock_t start = std::clock();
        const Outputs outputs = engine.run(frame.rgb.data(), frame.width, frame.height);
        const std::clock_t between = std::clock();
        timing.network += between - start;
        if (options.logits) {
            write_floats(outputs.scores, outputs.anchors * outputs.classes);
            write_floats(outputs.boxes, outputs.anchors * 4);
        } else {
            const auto detections = decoder.run(outputs, frame.width, frame.height, options.rules);
            timing.decoding += std::clock() - between;
            print_detections(detections);
        }
        // A caller may wait for this answer before it sends the next frame.
        if (std::fflush(stdout) != 0)
            throw Error(std::string("cannot write the answer: ") + std::strerror(errno));
    }
    if (options.timing) timing.print();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse(argc, argv);
        if (options.self_test) {
            const bool passed = self_test();
            if (passed) std::puts("ok");
            return passed ? 0 : 1;
        }
        use_binary_pipes();
        answer_frames(options);
        return 0;
    } catch (const Usage& error) {
        std::fprintf(stderr, "ssd-native: %s\n", error.what());
        return 2;
    } catch (const std::bad_alloc&) {
        std::fputs("ssd-native: there is not enough memory\n", stderr);
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ssd-native: %s\n", error.what());
        return 1;
    }
}
