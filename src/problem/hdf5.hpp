#pragma once

#include <lodestep/error.hpp>

#include <hdf5.h>
#include <string>
#include <utility>
#include <vector>

/// The little of HDF5's C interface that trajectory files need, with handles that close themselves and errors that say
/// what HDF5 knows. A call that fails throws IoError; what is read but is not as it should be, InvalidData.
namespace lodestep::hdf5 {

/// Keeps HDF5 from printing its error stack while it lives; the host's own setting comes back afterwards.
class Quiet {
public:
  Quiet() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// The reason of the last failure: the innermost entry of HDF5's error stack, which carries the system's message.
inline std::string reason() {
  std::string text;
  const auto innermost = [](unsigned position, const H5E_error2_t* entry, void* result) -> herr_t {
    if (position == 0 && entry->desc) *static_cast<std::string*>(result) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &text);
  return text.empty() ? "unknown HDF5 error" : text;
}

/// Throws IoError "<what>: <HDF5's reason>" if `status`, the result of a call, is negative; returns it otherwise.
template <class Status> Status check(Status status, const std::string& what) {
  if (status < 0) throw IoError(what + ": " + reason());
  return status;
}

/// An identifier with the function that closes it.
class Handle {
public:
  Handle(hid_t id, herr_t (*closer)(hid_t), const std::string& what) : id_(check(id, what)), close_(closer) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  operator hid_t() const noexcept { return id_; }
  /// Closes now, and throws if that fails: a file's last bytes are written here.
  void close(const std::string& what) { check(close_(std::exchange(id_, -1)), what); }

private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// Shape of a dataset or attribute; empty for a scalar.
inline std::vector<hsize_t> shape(hid_t space) {
  const int rank = check(H5Sget_simple_extent_ndims(space), "cannot read a shape");
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  if (rank > 0) check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), "cannot read a shape");
  return extents;
}

/// Shape {} makes a scalar.
inline Handle space(const std::vector<hsize_t>& extents) {
  return {extents.empty() ? H5Screate(H5S_SCALAR)
                          : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
          H5Sclose, "cannot make a shape"};
}

/// Variable-length UTF-8, which every HDF5 reader turns into its language's strings.
inline Handle string_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "cannot make a string type");
  check(H5Tset_size(type, H5T_VARIABLE), "cannot make a string type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "cannot make a string type");
  return type;
}

inline void write_attribute(hid_t object, const std::string& name, hid_t type, hid_t memory_type,
                            const std::vector<hsize_t>& extents, const void* data) {
  const std::string what = "cannot write attribute '" + name + "'";
  const Handle extent = space(extents);
  const Handle attribute(H5Acreate2(object, name.c_str(), type, extent, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
  check(H5Awrite(attribute, memory_type, data), what);
}

inline void write_strings(hid_t object, const std::string& name, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const auto& value : values) pointers.push_back(value.c_str());
  const Handle type = string_type();
  write_attribute(object, name, type, type, {pointers.size()}, pointers.data());
}

inline void write_string(hid_t object, const std::string& name, const std::string& value) {
  const char* pointer = value.c_str();
  const Handle type = string_type();
  write_attribute(object, name, type, type, {}, &pointer);
}

inline bool has_attribute(hid_t object, const std::string& name) {
  return check(H5Aexists(object, name.c_str()), "cannot look for attribute '" + name + "'") > 0;
}

/// All elements of a numeric attribute, converted to T. `type` is the memory type of T.
template <class T>
std::vector<T> read_numbers(hid_t object, const std::string& name, hid_t type, const std::string& file) {
  const std::string what = file + ": cannot read attribute '" + name + "'";
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, what);
  const Handle stored(H5Aget_type(attribute), H5Tclose, what);
  const H5T_class_t kind = H5Tget_class(stored);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER)
    throw InvalidData(file + ": attribute '" + name + "' must be a number or an array of numbers");
  const Handle extent(H5Aget_space(attribute), H5Sclose, what);
  const hssize_t count = check(H5Sget_simple_extent_npoints(extent), what);
  std::vector<T> values(static_cast<std::size_t>(count));
  if (count > 0) check(H5Aread(attribute, type, values.data()), what);
  return values;
}

/// All elements of a string attribute, of fixed or variable length.
inline std::vector<std::string> read_strings(hid_t object, const std::string& name, const std::string& file) {
  const std::string what = file + ": cannot read attribute '" + name + "'";
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, what);
  const Handle stored(H5Aget_type(attribute), H5Tclose, what);
  if (H5Tget_class(stored) != H5T_STRING)
    throw InvalidData(file + ": attribute '" + name + "' must be a string or an array of strings");
  const Handle extent(H5Aget_space(attribute), H5Sclose, what);
  const auto count = static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(extent), what));
  std::vector<std::string> values;
  if (count == 0) return values;
  if (check(H5Tis_variable_str(stored), what) > 0) {
    std::vector<char*> pointers(count, nullptr);
    const Handle type(H5Tcopy(stored), H5Tclose, what);
    check(H5Aread(attribute, type, pointers.data()), what);
    for (const char* pointer : pointers) values.emplace_back(pointer ? pointer : "");
    check(H5Dvlen_reclaim(type, extent, H5P_DEFAULT, pointers.data()), what);
  } else {
    const std::size_t size = H5Tget_size(stored);
    std::string bytes(size * count, '\0');
    check(H5Aread(attribute, stored, bytes.data()), what);
    for (std::size_t i = 0; i < count; ++i) {
      std::string value = bytes.substr(i * size, size);
      value.resize(std::char_traits<char>::length(value.c_str()) < size ? std::char_traits<char>::length(value.c_str())
                                                                        : size);
      values.push_back(std::move(value));
    }
  }
  return values;
}

} // namespace lodestep::hdf5
