// Measures the network. Images are decoded and resized before the clock starts; what is timed
// leads from their bytes to the logits and offsets of all anchors. A query is `batch` images.
//
// The answer is JSON: `latencies_ns` of each query in its order, `images` and `wall_ns` of the
// timed part, `load_ns` from the command line to a network that is ready, `prepare_ns` and
// `boxes_ns` of one image (decoding and resizing; boxes and suppression), which are not timed.
//
// With --queries another program asks: after `count` frames on standard input a line of `load_ns`,
// `prepare_ns` and `boxes_ns` is written; then each line holds numbers of frames, which are run, and
// is answered by the nanoseconds that they took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <random>

#include "commands.hpp"
#include "engine.hpp"
#include "frames.hpp"
#ifdef SSD_CODECS
#include "coco.hpp"
#include "files.hpp"
#endif

namespace ssd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostImages = 100000, kMostRepeats = 1e6, kMostBatch = 1024;
constexpr std::size_t kMostQueries = 10000000;
constexpr const char* kTimed = "resized pixels in memory to the scores and offsets of all anchors";

long long since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

struct Plan {
    std::string weights, annotations, folder, output = "-", scenario = "SingleStream";
    std::size_t count = 50, warmup = 10, repeats = 10, batch = 1, seed = 7;
    bool queries = false;
};

std::size_t whole(Arguments& arguments, double least, double most) {
    const double number = arguments.number(least, most);
    if (number != static_cast<double>(static_cast<std::size_t>(number)))
        throw Usage("a whole number is needed");
    return static_cast<std::size_t>(number);
}

bool take_number(const std::string& word, Arguments& arguments, Plan& plan) {
    if (word == "--count") plan.count = whole(arguments, 1, kMostImages);
    else if (word == "--warmup") plan.warmup = whole(arguments, 0, kMostRepeats);
    else if (word == "--repeats") plan.repeats = whole(arguments, 1, kMostRepeats);
    else if (word == "--batch") plan.batch = whole(arguments, 1, kMostBatch);
    else if (word == "--seed") plan.seed = whole(arguments, 0, 9e15);
    else return false;
    return true;
}

void check(const Plan& plan) {
    if (plan.scenario != "SingleStream" && plan.scenario != "Offline")
        throw Usage("`--scenario` is `SingleStream` or `Offline`");
    if (plan.scenario == "SingleStream" && plan.batch != 1)
        throw Usage("a query of SingleStream is one image; `--batch` is for `--scenario Offline`");
    if (plan.repeats * ((plan.count + plan.batch - 1) / plan.batch) > kMostQueries)
        throw Usage("that would be more than ten million queries");
}

Plan parse(Arguments& arguments) {
    Plan plan;
    while (arguments.more()) {
        const std::string word = arguments.next();
        if (take_number(word, arguments, plan)) continue;
        if (word == "--weights") plan.weights = arguments.value();
        else if (word == "--scenario") plan.scenario = arguments.value();
        else if (word == "--queries") plan.queries = true;
#ifdef SSD_CODECS
        else if (word == "--model") plan.weights = arguments.value() + "/weights.bin";
        else if (word == "--annotations") plan.annotations = arguments.value();
        else if (word == "--output") plan.output = arguments.value();
        else if (!is_flag(word) && plan.folder.empty()) plan.folder = word;
#endif
        else throw Usage("unknown option `" + word + "`");
    }
    if (plan.weights.empty()) throw Usage("`--weights FILE` is needed");
    if (plan.annotations.empty() != plan.folder.empty())
        throw Usage("`--annotations` and a folder of images belong together");
    check(plan);
    return plan;
}

// Resized images, one behind the other.
class Library {
public:
    Library(const Plan& plan, Engine& engine) : engine_(engine) {
        const Clock::time_point start = Clock::now();
        if (plan.folder.empty()) read_frames(plan.count);
        else read_files(plan);
        if (count() == 0) throw Error("there are no images");
        prepare_ns_ = since(start) / static_cast<long long>(count());
    }

    std::size_t count() const { return pixels_.size() / engine_.size(); }
    const std::uint8_t* at(std::size_t index) const { return &pixels_[index * engine_.size()]; }
    long long prepare_ns() const { return prepare_ns_; }

private:
    void add(const Image& image) {
        const std::uint8_t* resized =
            engine_.resize(image.rgb.data(), image.width, image.height);
        pixels_.insert(pixels_.end(), resized, resized + engine_.size());
    }

    void read_frames(std::size_t most) {
        use_binary_pipes();
        Image frame;
        while (count() < most && read_frame(stdin, frame)) add(frame);
    }

    void read_files([[maybe_unused]] const Plan& plan) {
#ifdef SSD_CODECS
        for (const Listed& listed : read_annotations(plan.annotations).images) {
            if (count() == plan.count) return;
            add(read_image(plan.folder + "/" + listed.name));
        }
#endif
    }

    Engine& engine_;
    std::vector<std::uint8_t> pixels_;
    long long prepare_ns_ = 0;
};

// The most memory that this process had, in bytes; 0 where the system does not tell. It is not
// asked of getrusage, which counts what the parent had before this program began.
unsigned long long peak_bytes() {
    std::FILE* const file = std::fopen("/proc/self/status", "r");
    if (file == nullptr) return 0;
    char line[200];
    unsigned long long peak = 0;
    while (std::fgets(line, sizeof line, file) != nullptr) {
        if (std::sscanf(line, "VmHWM: %llu kB", &peak) == 1) break;
    }
    std::fclose(file);
    return peak * 1024;
}

unsigned long long model_bytes(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return 0;
    const long size = std::fseek(file, 0, SEEK_END) == 0 ? std::ftell(file) : 0;
    std::fclose(file);
    return size > 0 ? static_cast<unsigned long long>(size) : 0;
}

// The order of the images of one round, another one in each.
void shuffle(std::vector<std::size_t>& order, std::mt19937_64& random) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
}

// Boxes of all images once, in nanoseconds an image.
long long time_boxes(const Model& model, Engine& engine, const Library& library) {
    const Decoder decoder(model);
    long long sum = 0;
    for (std::size_t i = 0; i < library.count(); ++i) {
        const Outputs outputs = engine.run(library.at(i));
        const Clock::time_point start = Clock::now();
        decoder.run(outputs, model.side, model.side, Rules{});
        sum += since(start);
    }
    return sum / static_cast<long long>(library.count());
}

// A sum of outputs is kept, so that no compiler finds the work to be of no use.
volatile float kept = 0;

void run(Engine& engine, const Library& library, std::size_t index) {
    kept = kept + engine.run(library.at(index)).scores[0];
}

std::string measure(const Plan& plan, const Model& model, Engine& engine, const Library& library,
                    long long load_ns) {
    for (std::size_t i = 0; i < plan.warmup; ++i) run(engine, library, i % library.count());
    std::vector<std::size_t> order(library.count());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937_64 random(plan.seed);
    std::vector<long long> latencies;
    latencies.reserve(plan.repeats * ((order.size() + plan.batch - 1) / plan.batch));
    long long wall = 0;
    for (std::size_t round = 0; round < plan.repeats; ++round) {
        shuffle(order, random);
        const Clock::time_point begin = Clock::now();
        for (std::size_t at = 0; at < order.size(); at += plan.batch) {
            const Clock::time_point start = Clock::now();
            for (std::size_t i = at; i < std::min(at + plan.batch, order.size()); ++i)
                run(engine, library, order[i]);
            latencies.push_back(since(start));
        }
        wall += since(begin);
    }
    std::string text = std::string("{\"harness\":\"native\",\"valid\":true,\"timed\":\"") + kTimed;
    text += "\"";
    const auto add = [&](const char* name, unsigned long long value) {
        text += std::string(",\n\"") + name + "\":" + std::to_string(value);
    };
    add("images", plan.repeats * order.size());
    add("wall_ns", static_cast<unsigned long long>(wall));
    add("load_ns", static_cast<unsigned long long>(load_ns));
    add("prepare_ns", static_cast<unsigned long long>(library.prepare_ns()));
    add("boxes_ns", static_cast<unsigned long long>(time_boxes(model, engine, library)));
    add("model_bytes", model_bytes(plan.weights));
    if (const unsigned long long peak = peak_bytes()) add("peak_bytes", peak);
    text += ",\n\"latencies_ns\":[";
    for (std::size_t i = 0; i < latencies.size(); ++i)
        text += (i > 0 ? "," : "") + std::to_string(latencies[i]);
    return text + "]}\n";
}

void write(const Plan& plan, const std::string& text) {
#ifdef SSD_CODECS
    NewFile file(plan.output);
    file.write(text);
    file.finish();
#else
    (void)plan;
    std::fputs(text.c_str(), stdout);
#endif
}

// Lines of numbers of images, each answered by nanoseconds.
void answer(const Model& model, Engine& engine, const Library& library, long long load_ns) {
    std::printf("%lld %lld %lld\n", load_ns, library.prepare_ns(),
                time_boxes(model, engine, library));
    std::fflush(stdout);
    std::vector<std::size_t> query;
    for (int mark = std::fgetc(stdin); mark != EOF; mark = std::fgetc(stdin)) {
        std::ungetc(mark, stdin);
        query.clear();
        do {
            unsigned long index = 0;
            if (std::scanf("%lu", &index) != 1 || index >= library.count())
                throw Error("a query names an image that there is not");
            query.push_back(index);
        } while ((mark = std::fgetc(stdin)) == ' ');
        if (mark != '\n') throw Error("a query does not end with its line");
        const Clock::time_point start = Clock::now();
        for (const std::size_t index : query) run(engine, library, index);
        std::printf("%lld\n", since(start));
        std::fflush(stdout);
    }
}

}  // namespace

int benchmark(Arguments arguments) {
    const Clock::time_point start = Clock::now();
    const Plan plan = parse(arguments);
    const Model model = read_model(plan.weights);
    Engine engine(model);
    const long long load_ns = since(start);
    const Library library(plan, engine);
    if (plan.queries) answer(model, engine, library, load_ns);
    else write(plan, measure(plan, model, engine, library, load_ns));
    return 0;
}

}  // namespace ssd
