// Annotations and results in COCO's JSON, and the score of results by COCO's rules.
#pragma once

#include <string>
#include <vector>

namespace ssd {

struct Box {
    double left = 0, top = 0, width = 0, height = 0;
    double area() const { return width * height; }
};

// An image by its file's name, or a category.
struct Listed {
    long long id = 0;
    std::string name;
};

struct Object {
    long long image = 0, category = 0;
    Box box;
    double area = 0;
    bool crowd = false;
};

struct Annotations {
    std::vector<Listed> images;  // in the file's order
    std::vector<Listed> categories;
    std::vector<Object> objects;
};

struct Result {
    long long image = 0, category = 0;
    Box box;
    double score = 0;
};

// Mean average precision over IoU 0.50 to 0.95, and at 0.50 alone.
struct Score {
    double precision = 0, precision_50 = 0;
};

// Each throws Error for what is no such file.
Annotations read_annotations(const std::string& path);
std::vector<Result> read_results(const std::string& path);

// Names of categories by id, from a model's description.
std::vector<Listed> read_categories(const std::string& path);

// The numbers of pycocotools: 101 recalls, the best 100 results of an image and category, objects
// of all sizes. Throws Error where there is nothing to score against.
Score score(const Annotations& truth, const std::vector<Result>& results);

}  // namespace ssd
