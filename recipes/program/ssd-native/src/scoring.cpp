#include <cstdio>

#include "coco.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "text.hpp"

namespace ssd {

int score_results(Arguments arguments) {
    std::string annotations, detections, output = "-";
    while (arguments.more()) {
        const std::string word = arguments.next();
        if (word == "--annotations") annotations = arguments.value();
        else if (word == "--detections") detections = arguments.value();
        else if (word == "--output") output = arguments.value();
        else throw Usage("unknown option `" + word + "`");
    }
    if (annotations.empty() || detections.empty())
        throw Usage("`--annotations FILE` and `--detections FILE` are needed");
    const Annotations truth = read_annotations(annotations);
    const Score total = score(truth, read_results(detections));
    char numbers[200];
    std::snprintf(numbers, sizeof numbers, "{\"map\":%.6f,\"map50\":%.6f,\"images\":%zu",
                  total.precision, total.precision_50, truth.images.size());
    NewFile file(output);
    file.write(numbers + (",\"detections\":" + quoted(detections)) + "}\n");
    file.finish();
    std::fprintf(stderr, "%zu images: mAP %.4f, at IoU 0.50 %.4f\n", truth.images.size(),
                 total.precision, total.precision_50);
    return 0;
}

}  // namespace ssd
