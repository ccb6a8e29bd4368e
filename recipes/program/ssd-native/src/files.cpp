#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ssd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestText = std::size_t{1} << 30U;

bool is_file(const std::string& path) {
    std::error_code fault;
    return fs::is_regular_file(path, fault);
}

bool names_an_image(std::string name) {
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    for (const std::string suffix : {".png", ".jpg", ".jpeg"}) {
        const bool longer = name.size() >= suffix.size();
        if (longer && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
            return true;
    }
    return false;
}

}  // namespace

File::File(const std::string& path) : file_(std::fopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw Error("cannot read `" + path + "`: " + std::strerror(errno));
}

File::~File() { std::fclose(file_); }

NewFile::NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
    if (path_ == "-") return;
    file_ = std::fopen(part_.c_str(), "wb");
    if (file_ == nullptr) fail();
}

NewFile::~NewFile() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    std::remove(part_.c_str());
}

void NewFile::write(const std::string& text) {
    if (file_ == nullptr) held_ += text;
    else if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
}

void NewFile::finish() {
    if (file_ == nullptr) {
        std::fwrite(held_.data(), 1, held_.size(), stdout);
        if (std::fflush(stdout) != 0) fail();
        return;
    }
    std::FILE* const file = file_;
    file_ = nullptr;
    std::error_code fault;
    if (std::fclose(file) == 0) {
        fs::rename(part_, path_, fault);
        if (!fault) return;
        errno = fault.value();
    }
    const int reason = errno;
    std::remove(part_.c_str());
    errno = reason;
    fail();
}

void NewFile::fail() const {
    throw Error("cannot write `" + path_ + "`: " + std::strerror(errno));
}

std::string read_text(const std::string& path) {
    const File file(path);
    std::string text;
    char part[65536];
    while (const std::size_t got = std::fread(part, 1, sizeof part, file.get())) {
        if (text.size() + got > kLargestText) throw Error("`" + path + "` is larger than 1 GiB");
        text.append(part, got);
    }
    if (std::ferror(file.get()) != 0)
        throw Error("cannot read `" + path + "`: " + std::strerror(errno));
    return text;
}

std::vector<std::string> list_images(const std::string& path) {
    if (!is_folder(path)) {
        if (!is_file(path)) throw Error("there is no file `" + path + "`");
        return {path};
    }
    std::vector<std::string> files;
    std::error_code fault;
    for (fs::directory_iterator entry(path, fault), end; !fault && entry != end;
         entry.increment(fault)) {
        const std::string file = entry->path().string();
        if (names_an_image(file) && is_file(file)) files.push_back(file);
    }
    if (fault) throw Error("cannot read the folder `" + path + "`: " + fault.message());
    if (files.empty()) throw Error("no PNG or JPEG image in the folder `" + path + "`");
    std::sort(files.begin(), files.end());
    return files;
}

bool is_folder(const std::string& path) {
    std::error_code fault;
    return fs::is_directory(path, fault);
}

std::string base_name(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace ssd
