#include "weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ssd {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLongestHeader = 64 * 1024;
constexpr std::size_t kLargestFile = std::size_t{256} << 20U;
constexpr std::size_t kMostLayers = 512;
constexpr std::size_t kMostChannels = 4096;
constexpr std::size_t kMostClasses = 1024;
constexpr std::size_t kMostAnchors = 32;
constexpr std::size_t kLargestSide = 1024;

// Reads the words of one header line; every fault names the line.
class Line {
public:
    explicit Line(const std::string& text) : text_(text), words_(text) { words_ >> word; }

    std::size_t whole(std::size_t least, std::size_t most) {
        long long value = -1;
        if (!(words_ >> value) || value < static_cast<long long>(least) ||
            value > static_cast<long long>(most)) {
            fail();
        }
        return static_cast<std::size_t>(value);
    }

    // A positive number below 100.
    float number() {
        float value = 0;
        if (!(words_ >> value) || !(value > 0) || value > 100) fail();
        return value;
    }

    bool ended() {
        words_ >> std::ws;
        return words_.eof();
    }

    void finish() {
        if (!ended()) fail();
    }

    [[noreturn]] void fail() const {
        throw Error("header line `" + printable() + "` is not valid");
    }

    std::string word;

private:
    std::string printable() const {
        std::string result = text_.substr(0, 60);
        for (char& c : result) {
            if (c < ' ' || c > '~') c = '?';
        }
        return result;
    }

    std::string text_;
    std::istringstream words_;
};

Convolution full(std::size_t size, std::size_t stride, std::size_t in, std::size_t out,
                 bool relu6) {
    return {size, stride, in, out, false, relu6, {}, {}};
}

Convolution depthwise(std::size_t stride, std::size_t channels) {
    return {3, stride, channels, channels, true, true, {}, {}};
}

Layer head(Line& line, std::size_t channels, std::size_t classes) {
    Layer layer;
    while (!line.ended() && layer.anchors.size() < kMostAnchors) {
        const float width = line.number();
        layer.anchors.push_back({width, line.number()});
    }
    if (layer.anchors.empty()) line.fail();
    const std::size_t anchors = layer.anchors.size();
    layer.parts = {depthwise(1, channels), full(1, 1, channels, anchors * classes, false),
                   full(1, 1, channels, anchors * 4, false)};
    return layer;
}

// Follows the activation through the header's lines.
class HeaderReader {
public:
    Model read(const std::string& text) {
        std::istringstream lines(text);
        std::string line;
        std::getline(lines, line);  // the magic line, already compared
        while (std::getline(lines, line) && line != "end") take(line);
        const auto is_head = [](const Layer& layer) { return layer.is_head(); };
        if (!std::any_of(model_.layers.begin(), model_.layers.end(), is_head)) {
            throw Error("the header has no head");
        }
        return std::move(model_);
    }

private:
    void take(const std::string& text) {
        Line line(text);
        if (line.word == "input") {
            if (model_.side != 0) line.fail();
            model_.side = side_ = line.whole(1, kLargestSide);
            line.whole(model_.side, model_.side);
            channels_ = line.whole(3, 3);
        } else if (line.word == "classes") {
            if (model_.classes != 0) line.fail();
            model_.classes = line.whole(1, kMostClasses);
        } else if (line.word == "variances") {
            model_.centre_variance = line.number();
            model_.size_variance = line.number();
        } else {
            layer(line);
        }
        line.finish();
    }

    void layer(Line& line) {
        const bool ready = model_.side != 0 && model_.classes != 0 && model_.size_variance > 0;
        if (!ready || model_.layers.size() == kMostLayers) line.fail();
        const bool conv = line.word == "conv";
        if (!conv && line.word != "depthwise" && line.word != "pointwise" && line.word != "head") {
            line.fail();
        }
        line.whole(channels_, channels_);
        Layer layer;
        if (line.word == "head") {
            layer = head(line, channels_, model_.classes);
        } else if (line.word == "depthwise") {
            layer.parts = {depthwise(line.whole(1, 2), channels_)};
        } else {
            const std::size_t outputs = line.whole(1, kMostChannels);
            const std::size_t stride = conv ? line.whole(1, 2) : 1;
            layer.parts = {full(conv ? 3 : 1, stride, channels_, outputs, true)};
        }
        advance(line, layer);
        model_.layers.push_back(std::move(layer));
    }

    void advance(const Line& line, const Layer& layer) {
        if (layer.is_head()) return;
        const Convolution& conv = layer.parts.front();
        if (side_ % conv.stride != 0) line.fail();
        side_ /= conv.stride;
        channels_ = conv.outputs;
    }

    Model model_;
    std::size_t side_ = 0, channels_ = 0;
};

float little_endian_float(const unsigned char* bytes) {
    const std::uint32_t bits =
        static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8U |
        static_cast<std::uint32_t>(bytes[2]) << 16U | static_cast<std::uint32_t>(bytes[3]) << 24U;
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

void take_numbers(const std::vector<unsigned char>& bytes, std::size_t& at, std::size_t count,
                  std::vector<float>& into) {
    if (count > (bytes.size() - at) / 4) throw Error("it ends before its last number");
    into.resize(count);
    for (float& value : into) {
        value = little_endian_float(&bytes[at]);
        if (!std::isfinite(value)) throw Error("it holds a number that is not finite");
        at += 4;
    }
}

Model parse(const std::vector<unsigned char>& bytes) {
    static const std::string magic = "ssd-f32 1\n";
    static const std::string end = "\nend\n";
    if (bytes.size() < magic.size() || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
        throw Error("it does not begin with `ssd-f32 1`");
    }
    const auto limit =
        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), kLongestHeader));
    const auto found = std::search(bytes.begin(), limit, end.begin(), end.end());
    if (found == limit) throw Error("its header has no `end`");
    const std::string text(bytes.begin(), found + static_cast<std::ptrdiff_t>(end.size()));
    Model model = HeaderReader().read(text);

    std::size_t at = (text.size() + kAlignment - 1) / kAlignment * kAlignment;
    at = std::min(at, bytes.size());
    for (Layer& layer : model.layers) {
        for (Convolution& part : layer.parts) {
            const std::size_t inputs = part.depthwise ? 1 : part.inputs;
            take_numbers(bytes, at, part.size * part.size * inputs * part.outputs, part.weights);
            take_numbers(bytes, at, part.outputs, part.bias);
        }
    }
    if (at != bytes.size()) throw Error("it goes on after its last number");
    return model;
}

}  // namespace

Model parse_model(const std::vector<unsigned char>& bytes, const std::string& name) {
    try {
        return parse(bytes);
    } catch (const Error& error) {
        throw Error("`" + name + "` is not a weights file: " + error.what());
    }
}

Model read_model(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
    if (size < 0) throw Error("cannot read `" + path + "`");
    if (static_cast<std::uint64_t>(size) > kLargestFile) {
        throw Error("`" + path + "` is not a weights file: it is larger than 256 MiB");
    }
    std::vector<unsigned char> bytes(static_cast<std::size_t>(size));
    file.seekg(0);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), size)) {
        throw Error("cannot read `" + path + "`");
    }
    return parse_model(bytes, path);
}

}  // namespace ssd
