// ssd-native: finds objects in images.
//
//   ssd-native --weights FILE [RULES] [--logits] [--timing]
//   ssd-native benchmark --weights FILE [PLAN] [--queries]
//   ssd-native --self-test
// and, where it was made with codecs,
//   ssd-native detect --model DIR [--output FILE] [--summary] [RULES] IMAGE|DIR...
//   ssd-native detect --model DIR --annotations FILE [--pixels FILE] [--output FILE] [RULES] DIR
//   ssd-native score --annotations FILE --detections FILE [--output FILE]
//   ssd-native benchmark --model DIR --annotations FILE [--output FILE] [PLAN] DIR
//
// RULES: --threshold 0.3, --overlap 0.5, --max-detections 100.
// PLAN: --count 50, --warmup 10, --repeats 10, --batch 1, --scenario SingleStream, --seed 7.
//
// Without a command, standard input is a row of frames: the bytes "SSDF", width and height (32-bit
// little-endian), then width * height * 3 bytes of RGB, rows from the top. Each frame is answered
// by one line
//   {"detections":[{"category_id":3,"score":0.981,"bbox":[left,top,width,height]}]}
// in pixels of the frame, best first. With --logits the answer is, instead, all class logits
// [anchors][classes] and then all box offsets [anchors][4] as little-endian 32-bit floats.
// --timing reports the CPU time of each part on standard error at the end.
// Exit status: 0 done, 1 the input is at fault, 2 the command line is.

#include <cstdio>
#include <exception>
#include <new>

#include "codecs.hpp"
#include "commands.hpp"
#include "selftest.hpp"
#include "text.hpp"
#include "weights.hpp"

namespace {

using namespace ssd;

int test_self() {
    bool passed = self_test();
#ifdef SSD_CODECS
    passed = codec_test() && passed;
#endif
    if (passed) std::puts("ok");
    return passed ? 0 : 1;
}

int run(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "--self-test") return test_self();
    }
    const std::string first = argc > 1 ? argv[1] : "";
    if (is_flag(first)) return answer_frames(Arguments(argc - 1, argv + 1));
    const Arguments rest(argc > 1 ? argc - 2 : 0, argv + 2);
    if (first == "benchmark") return benchmark(rest);
#ifdef SSD_CODECS
    if (first == "detect") return detect(rest);
    if (first == "score") return score_results(rest);
    throw Usage("the first word is `benchmark`, `detect`, `score`, `--weights` or `--self-test`");
#else
    throw Usage("this ssd-native was made without codecs: it takes `--weights FILE` and frames, or "
                "`benchmark`");
#endif
}

int fail(const char* what, int status) {
    std::fprintf(stderr, "ssd-native: %s\n", shown(what).c_str());
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const Usage& error) {
        return fail(error.what(), 2);
    } catch (const std::bad_alloc&) {
        return fail("there is not enough memory", 1);
    } catch (const std::exception& error) {
        return fail(error.what(), 1);
    }
}
