#include "coco.hpp"

#include "files.hpp"
#include "json.hpp"

namespace ssd {
namespace {

Box read_box(Json& json) {
    Box box;
    double* const sides[] = {&box.left, &box.top, &box.width, &box.height};
    std::size_t count = 0;
    json.items([&] {
        if (count == 4) json.fail("a box has more than four numbers");
        *sides[count++] = json.number();
    });
    if (count != 4) json.fail("a box has fewer than four numbers");
    return box;
}

// Entries that have an id and a text under `name`.
std::vector<Listed> read_listed(Json& json, const std::string& name) {
    std::vector<Listed> all;
    json.items([&] {
        Listed one;
        bool has_id = false, has_name = false;
        json.members([&](const std::string& key) {
            if (key == "id") one.id = json.whole(), has_id = true;
            else if (key == name) one.name = json.text(), has_name = true;
            else json.skip();
        });
        if (!has_id || !has_name) json.fail("`id` or `" + name + "` is missing before here");
        all.push_back(one);
    });
    return all;
}

std::vector<Object> read_objects(Json& json) {
    std::vector<Object> all;
    json.items([&] {
        Object one;
        int found = 0;
        json.members([&](const std::string& key) {
            if (key == "image_id") one.image = json.whole(), ++found;
            else if (key == "category_id") one.category = json.whole(), ++found;
            else if (key == "bbox") one.box = read_box(json), ++found;
            else if (key == "area") one.area = json.number(), ++found;
            else if (key == "iscrowd") one.crowd = json.whole() != 0;
            else json.skip();
        });
        if (found != 4) json.fail("an annotation before here is not complete");
        all.push_back(one);
    });
    return all;
}

}  // namespace

Annotations read_annotations(const std::string& path) {
    Json json(read_text(path), path);
    Annotations annotations;
    json.members([&](const std::string& key) {
        if (key == "images") annotations.images = read_listed(json, "file_name");
        else if (key == "categories") annotations.categories = read_listed(json, "name");
        else if (key == "annotations") annotations.objects = read_objects(json);
        else json.skip();
    });
    json.end();
    if (annotations.images.empty()) throw Error("`" + path + "` lists no images");
    return annotations;
}

std::vector<Result> read_results(const std::string& path) {
    Json json(read_text(path), path);
    std::vector<Result> results;
    json.items([&] {
        Result one;
        int found = 0;
        json.members([&](const std::string& key) {
            if (key == "image_id") one.image = json.whole(), ++found;
            else if (key == "category_id") one.category = json.whole(), ++found;
            else if (key == "bbox") one.box = read_box(json), ++found;
            else if (key == "score") one.score = json.number(), ++found;
            else json.skip();
        });
        if (found != 4) json.fail("a record before here is not complete");
        results.push_back(one);
    });
    json.end();
    return results;
}

std::vector<Listed> read_categories(const std::string& path) {
    Json json(read_text(path), path);
    std::vector<Listed> categories;
    json.members([&](const std::string& key) {
        if (key == "categories") categories = read_listed(json, "name");
        else json.skip();
    });
    json.end();
    return categories;
}

}  // namespace ssd
