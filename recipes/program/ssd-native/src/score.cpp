#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "coco.hpp"
#include "weights.hpp"

namespace ssd {
namespace {

constexpr std::size_t kThresholds = 10, kRecalls = 101, kMostResults = 100;
constexpr double kLargestArea = 1e10;  // the end of COCO's range `all`
constexpr double kTiny = 2.220446049250313e-16;

// Bit t of a mask belongs to this overlap.
double threshold(std::size_t t) {
    return t + 1 == kThresholds ? 0.95 : 0.5 + 0.05 * static_cast<double>(t);
}

// A result, and at which thresholds it found an object, or one that does not count.
struct Judged {
    double score;
    std::uint16_t found, ignored;
};

struct Target {
    const Object* object;
    bool ignored;
    std::uint16_t taken;
};

bool outside(double area) { return area < 0 || area > kLargestArea; }

// Intersection over union; over the result alone where the object is a crowd.
double overlap(const Box& result, const Object& object) {
    const Box& other = object.box;
    const double width = std::min(result.left + result.width, other.left + other.width) -
                         std::max(result.left, other.left);
    const double height = std::min(result.top + result.height, other.top + other.height) -
                          std::max(result.top, other.top);
    if (width <= 0 || height <= 0) return 0;
    const double shared = width * height;
    return shared / (object.crowd ? result.area() : result.area() + other.area() - shared);
}

// The place of the object that a result takes; objects that count come first.
std::size_t best(const std::vector<Target>& targets, const std::vector<double>& overlaps,
                 std::size_t t) {
    double least = threshold(t);
    std::size_t place = targets.size();
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if ((targets[i].taken >> t & 1U) != 0 && !targets[i].object->crowd) continue;
        if (place < targets.size() && !targets[place].ignored && targets[i].ignored) break;
        if (overlaps[i] < least) continue;
        least = overlaps[i];
        place = i;
    }
    return place;
}

// Of one category.
class Category {
public:
    void add(const Object& object) { images_[object.image].targets.push_back(target(object)); }
    void add(const Result& result) { images_[result.image].results.push_back(&result); }

    // Average precision at each threshold; false where no object counts.
    bool precisions(std::array<double, kThresholds>& values) {
        for (auto& [id, image] : images_) judge(image);
        if (objects_ == 0) return false;
        std::stable_sort(judged_.begin(), judged_.end(),
                         [](const Judged& a, const Judged& b) { return a.score > b.score; });
        for (std::size_t t = 0; t < kThresholds; ++t) values[t] = precision(t);
        return true;
    }

private:
    struct Image {
        std::vector<Target> targets;
        std::vector<const Result*> results;
    };

    static Target target(const Object& object) {
        return {&object, object.crowd || outside(object.area), 0};
    }

    void judge(Image& image) {
        std::stable_sort(image.targets.begin(), image.targets.end(),
                         [](const Target& a, const Target& b) { return a.ignored < b.ignored; });
        for (const Target& one : image.targets) objects_ += one.ignored ? 0 : 1;
        std::stable_sort(image.results.begin(), image.results.end(),
                         [](const Result* a, const Result* b) { return a->score > b->score; });
        image.results.resize(std::min(image.results.size(), kMostResults));
        for (const Result* result : image.results) judged_.push_back(judge(*result, image.targets));
    }

    static Judged judge(const Result& result, std::vector<Target>& targets) {
        std::vector<double> overlaps;
        for (const Target& one : targets) overlaps.push_back(overlap(result.box, *one.object));
        Judged judged{result.score, 0, 0};
        for (std::size_t t = 0; t < kThresholds; ++t) {
            const auto bit = static_cast<std::uint16_t>(1U << t);
            const std::size_t place = best(targets, overlaps, t);
            if (place == targets.size()) {
                if (outside(result.box.area())) judged.ignored |= bit;
                continue;
            }
            judged.found |= bit;
            if (targets[place].ignored) judged.ignored |= bit;
            targets[place].taken |= bit;
        }
        return judged;
    }

    // The mean over all recalls of the best precision at that recall or beyond it.
    double precision(std::size_t t) const {
        std::vector<double> recalls, reached;
        double right = 0, wrong = 0;
        for (const Judged& one : judged_) {
            if ((one.ignored >> t & 1U) == 0) ((one.found >> t & 1U) != 0 ? right : wrong) += 1;
            recalls.push_back(right / static_cast<double>(objects_));
            reached.push_back(right / (wrong + right + kTiny));
        }
        for (std::size_t i = reached.size(); i-- > 1;) {
            reached[i - 1] = std::max(reached[i - 1], reached[i]);
        }
        double sum = 0;
        for (std::size_t r = 0; r < kRecalls; ++r) {
            const double recall = r + 1 == kRecalls ? 1.0 : 0.01 * static_cast<double>(r);
            const auto place = std::lower_bound(recalls.begin(), recalls.end(), recall);
            if (place == recalls.end()) break;
            sum += reached[static_cast<std::size_t>(place - recalls.begin())];
        }
        return sum / static_cast<double>(kRecalls);
    }

    std::map<long long, Image> images_;
    std::vector<Judged> judged_;
    std::size_t objects_ = 0;
};

}  // namespace

Score score(const Annotations& truth, const std::vector<Result>& results) {
    std::set<long long> images;
    std::map<long long, Category> categories;
    for (const Listed& image : truth.images) images.insert(image.id);
    for (const Listed& category : truth.categories) categories[category.id];
    const auto counts = [&](long long image, long long category) {
        return images.count(image) > 0 && categories.count(category) > 0;
    };
    for (const Object& object : truth.objects) {
        if (counts(object.image, object.category)) categories[object.category].add(object);
    }
    for (const Result& result : results) {
        if (images.count(result.image) == 0) {
            throw Error("a record is of the image " + std::to_string(result.image) +
                        ", which the annotations do not list");
        }
        if (counts(result.image, result.category)) categories[result.category].add(result);
    }
    Score total;
    std::size_t scored = 0;
    for (auto& [id, category] : categories) {
        std::array<double, kThresholds> values{};
        if (!category.precisions(values)) continue;
        ++scored;
        for (const double value : values) total.precision += value / kThresholds;
        total.precision_50 += values[0];
    }
    if (scored == 0) throw Error("the annotations have no object to score against");
    total.precision /= static_cast<double>(scored);
    total.precision_50 /= static_cast<double>(scored);
    return total;
}

}  // namespace ssd
