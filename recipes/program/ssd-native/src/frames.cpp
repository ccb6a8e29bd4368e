#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "commands.hpp"
#include "engine.hpp"
#include "frames.hpp"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

namespace ssd {
namespace {

struct Options {
    std::string weights;
    Rules rules;
    bool logits = false, timing = false;
};

Options parse(Arguments& arguments) {
    Options options;
    while (arguments.more()) {
        const std::string flag = arguments.next();
        if (flag == "--logits") options.logits = true;
        else if (flag == "--timing") options.timing = true;
        else if (flag == "--weights") options.weights = arguments.value();
        else if (!take_rule(flag, arguments, options.rules))
            throw Usage("unknown option `" + flag + "`");
    }
    if (options.weights.empty()) throw Usage("`--weights FILE` is needed");
    return options;
}

std::size_t little_endian(const unsigned char* bytes) {
    return bytes[0] | static_cast<std::size_t>(bytes[1]) << 8U |
           static_cast<std::size_t>(bytes[2]) << 16U | static_cast<std::size_t>(bytes[3]) << 24U;
}

void print_detections(const std::vector<Detection>& detections) {
    std::fputs("{\"detections\":[", stdout);
    const char* separator = "";
    for (const Detection& d : detections) {
        std::printf("%s{\"category_id\":%zu,\"score\":%s,\"bbox\":%s}", separator, d.category,
                    score_text(d).c_str(), box_text(d).c_str());
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

}  // namespace

void use_binary_pipes() {
#ifdef _WIN32
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
}

bool read_frame(std::FILE* input, Image& frame) {
    unsigned char head[12];
    const std::size_t got = std::fread(head, 1, sizeof head, input);
    if (got == 0 && std::feof(input) != 0) return false;
    if (got < sizeof head) throw Error("the input ends inside a frame's header");
    if (std::memcmp(head, "SSDF", 4) != 0) throw Error("a frame does not begin with `SSDF`");
    frame.width = little_endian(head + 4);
    frame.height = little_endian(head + 8);
    if (!fits(frame.width, frame.height)) {
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

int answer_frames(Arguments arguments) {
    const Options options = parse(arguments);
    use_binary_pipes();
    const Model model = read_model(options.weights);
    Engine engine(model);
    const Decoder decoder(model);
    Timing timing;
    for (Image frame; read_frame(stdin, frame); ++timing.frames) {
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
    return 0;
}

}  // namespace ssd
