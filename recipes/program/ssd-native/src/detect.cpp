#include <cstdio>
#include <map>
#include <memory>

#include "coco.hpp"
#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "image.hpp"
#include "sha256.hpp"
#include "text.hpp"

namespace ssd {
namespace {

struct Options {
    std::string model, annotations, pixels, output = "-";
    Rules rules;
    bool summary = false;
    std::vector<std::string> images;
};

Options parse(Arguments& arguments) {
    Options options;
    while (arguments.more()) {
        const std::string word = arguments.next();
        if (word == "--model") options.model = arguments.value();
        else if (word == "--annotations") options.annotations = arguments.value();
        else if (word == "--pixels") options.pixels = arguments.value();
        else if (word == "--output") options.output = arguments.value();
        else if (word == "--summary") options.summary = true;
        else if (take_rule(word, arguments, options.rules)) continue;
        else if (is_flag(word)) throw Usage("unknown option `" + word + "`");
        else options.images.push_back(word);
    }
    if (options.model.empty()) throw Usage("`--model DIR` is needed");
    if (options.images.empty()) throw Usage("an image or a folder of images is needed");
    if (!options.annotations.empty() && (options.images.size() != 1 || options.summary))
        throw Usage("with `--annotations`, one folder of images is needed, and no `--summary`");
    if (!options.pixels.empty() && options.annotations.empty())
        throw Usage("`--pixels` needs `--annotations`");
    return options;
}

// A network with what it needs to answer.
class Detector {
public:
    explicit Detector(const Options& options)
        : model_(read_model(options.model + "/weights.bin")),
          engine_(model_),
          decoder_(model_),
          rules_(options.rules) {}

    std::size_t classes() const { return model_.classes; }

    std::vector<Detection> run(const Image& image) {
        const Outputs outputs = engine_.run(image.rgb.data(), image.width, image.height);
        return decoder_.run(outputs, image.width, image.height, rules_);
    }

private:
    Model model_;
    Engine engine_;
    Decoder decoder_;
    Rules rules_;
};

// The names of all categories that a network tells of.
std::vector<std::string> category_names(const std::string& model, std::size_t classes) {
    const std::string path = model + "/model.json";
    std::vector<std::string> names(classes);
    for (const Listed& category : read_categories(path)) {
        const auto place = static_cast<unsigned long long>(category.id) - 1;
        if (place < classes) names[static_cast<std::size_t>(place)] = category.name;
    }
    for (std::size_t i = 0; i < classes; ++i) {
        if (names[i].empty())
            throw Error("`" + path + "` names no category " + std::to_string(i + 1));
    }
    return names;
}

// The list of records, written as they come.
class Records {
public:
    explicit Records(NewFile& file) : file_(file) { file_.write("["); }

    // `more` are further members, from the comma on.
    void add(long long image, const Detection& detection, const std::string& more) {
        file_.write(separator_ + ("{\"image_id\":" + std::to_string(image)) +
                    ",\"category_id\":" + std::to_string(detection.category) +
                    ",\"bbox\":" + box_text(detection) + ",\"score\":" + score_text(detection) +
                    more + "}");
        separator_ = ",\n";
    }

    void end() { file_.write("]"); }

private:
    NewFile& file_;
    const char* separator_ = "\n";
};

void tell(const std::string& line) { std::fprintf(stderr, "%s\n", shown(line).c_str()); }

// Detects in files that a person names. In a folder, what is no image is skipped and told.
class Pictures {
public:
    Pictures(const Options& options, Detector& detector, Records& records)
        : options_(options),
          detector_(detector),
          records_(records),
          names_(category_names(options.model, detector.classes())) {}

    void take_all() {
        for (const std::string& path : options_.images) {
            const std::vector<std::string> files = list_images(path);
            for (const std::string& file : files) take(file, is_folder(path) && files.size() > 1);
            if (images_ == 0) {
                throw Error("none of the " + std::to_string(files.size()) + " images in `" + path +
                            "` can be read");
            }
        }
    }

    // The members of a summary, from the comma on.
    std::string summary() const {
        return ",\n\"images\":" + std::to_string(images_) + ",\n\"skipped\":[" + skipped_ + "]";
    }

private:
    void take(const std::string& file, bool may_skip) {
        const std::string name = base_name(file);
        try {
            const std::vector<Detection> found = detector_.run(read_image(file));
            for (const Detection& detection : found) {
                records_.add(images_, detection,
                             ",\"file_name\":" + quoted(name) +
                                 ",\"category\":" + quoted(names_[detection.category - 1]));
            }
            ++images_;
            tell(name + ": " + std::to_string(found.size()) + " found");
        } catch (const Error& error) {
            if (!may_skip) throw;
            skipped_ += (skipped_.empty() ? "\n{" : ",\n{") + ("\"file_name\":" + quoted(name)) +
                        ",\"reason\":" + quoted(error.what()) + "}";
            tell(std::string("skipped: ") + error.what());
        }
    }

    const Options& options_;
    Detector& detector_;
    Records& records_;
    std::vector<std::string> names_;
    long long images_ = 0;
    std::string skipped_;
};

// The digest over all images of width, height and RGB, as in the data set's `pixels.sha256`.
class Pixels {
public:
    void add(const Image& image) {
        std::uint8_t size[8];
        for (unsigned i = 0; i < 4; ++i) {
            size[i] = static_cast<std::uint8_t>(image.width >> 8 * i);
            size[i + 4] = static_cast<std::uint8_t>(image.height >> 8 * i);
        }
        digest_.update(size, sizeof size);
        digest_.update(image.rgb.data(), image.rgb.size());
    }

    void compare(const std::string& path, const std::string& folder) {
        if (read_text(path).substr(0, 64) != digest_.hex()) {
            throw Error("the images of `" + folder + "` do not have the pixels of `" + path + "`");
        }
    }

private:
    Sha256 digest_;
};

// Detects in the images that annotations list.
void take_listed(const Options& options, Detector& detector, Records& records) {
    const std::vector<Listed> images = read_annotations(options.annotations).images;
    const std::string& folder = options.images.front();
    Pixels pixels;
    std::size_t done = 0;
    for (const Listed& listed : images) {
        const Image image = read_image(folder + "/" + listed.name);
        if (!options.pixels.empty()) pixels.add(image);
        for (const Detection& found : detector.run(image)) records.add(listed.id, found, "");
        if (++done % 1000 == 0)
            tell(std::to_string(done) + " of " + std::to_string(images.size()) + " images");
    }
    if (!options.pixels.empty()) pixels.compare(options.pixels, folder);
}

}  // namespace

int detect(Arguments arguments) {
    const Options options = parse(arguments);
    Detector detector(options);
    NewFile file(options.output);
    if (options.summary) file.write("{\"detections\":");
    Records records(file);
    std::string rest = "\n";
    if (options.annotations.empty()) {
        Pictures pictures(options, detector, records);
        pictures.take_all();
        if (options.summary) rest = pictures.summary() + "}\n";
    } else {
        take_listed(options, detector, records);
    }
    records.end();
    file.write(rest);
    file.finish();
    return 0;
}

}  // namespace ssd
