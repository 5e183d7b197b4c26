#include "enforce/nft_reader.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>

#include "enforce/nft_batch.hpp"
#include "enforce/nft_table.hpp"

namespace palang {
namespace {

bool has_shape(const Attributes<NFTA_SET_MAX>& set, const SetShape& shape) {
  const bool counts = Attributes<NFTA_EXPR_MAX>(set[NFTA_SET_EXPR]).text(NFTA_EXPR_NAME) == "counter";
  return set.u32(NFTA_SET_KEY_LEN) == shape.key_size && set.u32(NFTA_SET_FLAGS) == shape.flags &&
         counts == shape.counts && set.u64(NFTA_SET_TIMEOUT).value_or(0) == 0 && set[NFTA_SET_DATA_TYPE] == nullptr;
}

// Of the generations of one set the lowest is in force (see SetName).
void sort_generations(std::vector<SetName> found, TableState& state) {
  std::ranges::sort(found);
  for (const SetName& set : found) {
    const bool successor = !state.sets.empty() && state.sets.back().same_set(set);
    (successor ? state.unfinished : state.sets).push_back(set);
  }
}

bool hangs_at(const Attributes<NFTA_CHAIN_MAX>& chain, const ChainPlace& place) {
  const Attributes<NFTA_HOOK_MAX> hook(chain[NFTA_CHAIN_HOOK]);
  return chain.text(NFTA_CHAIN_TYPE) == "filter" && hook.u32(NFTA_HOOK_HOOKNUM) == place.hook &&
         hook.u32(NFTA_HOOK_PRIORITY) == static_cast<uint32_t>(place.priority);
}

template <typename Visit>
void for_each_element(MessageView message, Visit&& visit) {
  const Attributes<NFTA_SET_ELEM_LIST_MAX> list(message.header);
  if (list[NFTA_SET_ELEM_LIST_ELEMENTS] == nullptr) return;
  for (const nlattr* entry : AttributesIn(list[NFTA_SET_ELEM_LIST_ELEMENTS]))
    if (const auto element = parse_element(entry)) visit(*element);
}

void put_question(MessageWriter& writer, const SetName& set, const Element& element) {
  writer.put_text(NFTA_SET_ELEM_LIST_TABLE, table_name);
  writer.put_text(NFTA_SET_ELEM_LIST_SET, set.text());
  const auto list = writer.open(NFTA_SET_ELEM_LIST_ELEMENTS);
  const auto entry = writer.open(NFTA_LIST_ELEM);
  const auto key = writer.open(NFTA_SET_ELEM_KEY);
  writer.put(NFTA_DATA_VALUE, std::span(element.key).first(set.key_size()));
  writer.close(key);
  writer.close(entry);
  writer.close(list);
  writer.end();
}

}  // namespace

Element held_element(const ParsedElement& element, WallTime now) {
  if (!element.remaining_ms) return {element.key, WallTime::max()};
  constexpr uint64_t century_ms = 100ULL * 365 * 86'400'000;  // someone else's timeout may be beyond WallTime
  return {element.key, now + std::chrono::milliseconds(std::min(*element.remaining_ms, century_ms))};
}

const SetName* TableState::find(const SetName& set) const {
  const auto found = std::ranges::find_if(sets, [&](const SetName& other) { return other.same_set(set); });
  return found == sets.end() ? nullptr : &*found;
}

Result<NetlinkSocket*> NftReader::socket() {
  if (!socket_) {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!socket) return Failure(socket.error());
    socket_ = std::move(*socket);
  }
  return &*socket_;
}

Result<MessageWriter> NftReader::ask(uint16_t message, uint16_t flags) {
  auto ready = socket();
  if (!ready) return Failure(ready.error());
  MessageWriter question;
  begin_nft_message(question, message, flags, (*ready)->take_sequence());
  return question;
}

// That the ruleset changed meanwhile (NLM_F_DUMP_INTR) is of no interest: nearly always it was another's table, our own
// changes come from this thread, and a foreign change of our table is told by the monitor.
Result<void> NftReader::answers_to(const MessageWriter& question, std::string_view what, const Visit& visit) {
  NetlinkSocket socket = std::move(*socket_);  // not to be used again unless the answer is read to its end
  socket_.reset();
  if (auto sent = socket.send(question.bytes()); !sent) return sent;
  while (true) {
    const auto datagram = socket.receive();
    if (!datagram) return Failure(datagram.error());
    if (datagram->empty()) return fail_os("read", what, EPROTO);
    for (const MessageView message : MessagesIn(*datagram)) {
      if (message.header->nlmsg_type == NLMSG_DONE || message.header->nlmsg_type == NLMSG_ERROR) {
        const int os_error = refusal_of(message);
        socket_ = std::move(socket);
        return os_error == 0 ? Result<void>{} : fail_os("read", what, os_error);
      }
      if (message.is_nft() && message.nft_family() == NFPROTO_INET && visit(message) == Go::stop) return {};
    }
  }
}

Result<bool> NftReader::table_exists() {
  auto question = ask(NFT_MSG_GETTABLE, NLM_F_ACK);
  if (!question) return Failure(question.error());
  question->put_text(NFTA_TABLE_NAME, table_name);
  question->end();
  const auto answer = answers_to(*question, "nft table inet palang", [](MessageView) { return Go::on; });
  if (answer) return true;
  if (answer.error().os == ENOENT) return false;
  return Failure(answer.error());
}

Result<void> NftReader::read_sets(TableState& state) {
  auto question = ask(NFT_MSG_GETSET, NLM_F_DUMP);
  if (!question) return Failure(question.error());
  question->put_text(NFTA_SET_TABLE, table_name);
  question->end();
  std::vector<SetName> found;
  auto done = answers_to(*question, "the sets of nft table inet palang", [&](MessageView message) {
    const Attributes<NFTA_SET_MAX> set(message.header);
    if (set.text(NFTA_SET_TABLE) != table_name || is_of_firewall(set.text(NFTA_SET_NAME))) return Go::on;
    // Those without a name of their own belong to a rule, perhaps of the firewall's, and go with it.
    if ((set.u32(NFTA_SET_FLAGS).value_or(0) & NFT_SET_ANONYMOUS) != 0) return Go::on;
    state.all_sets.emplace_back(set.text(NFTA_SET_NAME));
    const auto name = SetName::parse(set.text(NFTA_SET_NAME));
    if (!name) {
      state.foreign_sets.emplace_back(set.text(NFTA_SET_NAME));
    } else {
      found.push_back(*name);
      if (!has_shape(set, shape_of(*name))) state.ours = false;
    }
    return Go::on;
  });
  sort_generations(std::move(found), state);
  return done;
}

Result<void> NftReader::read_chains(TableState& state) {
  auto question = ask(NFT_MSG_GETCHAIN, NLM_F_DUMP);
  if (!question) return Failure(question.error());
  question->end();
  return answers_to(*question, "the chains of nft table inet palang", [&](MessageView message) {
    const Attributes<NFTA_CHAIN_MAX> chain(message.header);
    if (chain.text(NFTA_CHAIN_TABLE) != table_name || is_of_firewall(chain.text(NFTA_CHAIN_NAME))) return Go::on;
    state.all_chains.emplace_back(chain.text(NFTA_CHAIN_NAME));
    const auto place = std::ranges::find(gate_chains(), chain.text(NFTA_CHAIN_NAME), &ChainPlace::name);
    if (place == gate_chains().end())
      state.foreign_chains.emplace_back(chain.text(NFTA_CHAIN_NAME));
    else if (!hangs_at(chain, *place))
      state.ours = false;
    return Go::on;
  });
}

Result<TableState> NftReader::table() {
  TableState state;
  const auto exists = table_exists();
  if (!exists) return Failure(exists.error());
  state.exists = *exists;
  if (!state.exists) return state;
  for (const auto read : {&NftReader::read_sets, &NftReader::read_chains}) {
    const auto done = (this->*read)(state);
    if (!done && done.error().os == ENOENT) return TableState{};  // deleted this moment
    if (!done) return Failure(done.error());
  }
  return state;
}

Result<std::vector<Element>> NftReader::list(const SetName& set, size_t most, const CallClock& clock) {
  auto question = ask(NFT_MSG_GETSETELEM, NLM_F_DUMP);
  if (!question) return Failure(question.error());
  question->put_text(NFTA_SET_ELEM_LIST_TABLE, table_name);
  question->put_text(NFTA_SET_ELEM_LIST_SET, set.text());
  question->end();
  std::vector<Element> found;
  auto done = answers_to(*question, "nft set " + set.text(), [&](MessageView message) {
    const WallTime now = clock.now();
    for_each_element(message, [&](const ParsedElement& element) { found.push_back(held_element(element, now)); });
    return found.size() > most ? Go::stop : Go::on;
  });
  if (!done) return Failure(done.error());
  return found;
}

Result<std::optional<std::vector<Element>>> NftReader::elements(const SetName& set, size_t most,
                                                                const CallClock& clock) {
  constexpr int most_tries = 10;  // the table has grown within milliseconds
  for (int tries = 1;; ++tries) {
    auto found = list(set, most, clock);
    if (!found) return Failure(found.error());
    if (found->size() > most) return std::nullopt;
    std::ranges::sort(*found, {}, &Element::key);
    const auto repeated = std::ranges::unique(*found, {}, &Element::key);
    if (!repeated.empty() && tries < most_tries) continue;
    found->erase(repeated.begin(), repeated.end());
    return std::move(*found);
  }
}

// One element a message: the kernel stops a message at its first missing element, but answers each message.
Result<void> NftReader::look_up_portion(const SetName& set, std::span<const Element> elements,
                                        const std::function<void(size_t, const ParsedElement&)>& found) {
  auto ready = socket();
  if (!ready) return Failure(ready.error());
  NetlinkSocket& socket = **ready;
  MessageWriter questions;
  const uint32_t first = socket.take_sequence();
  uint32_t sequence = first;
  for (const Element& element : elements) {
    begin_nft_message(questions, NFT_MSG_GETSETELEM, 0, sequence);
    put_question(questions, set, element);
    sequence = socket.take_sequence();
  }
  socket.discard_waiting();
  if (auto sent = socket.send(questions.bytes()); !sent) return sent;
  while (true) {
    const auto datagram = socket.receive();
    if (!datagram) return Failure(datagram.error());
    if (datagram->empty()) return {};
    for (const MessageView message : MessagesIn(*datagram)) {
      const size_t index = message.header->nlmsg_seq - first;
      if (index >= elements.size()) continue;
      if (message.is_nft()) for_each_element(message, [&](const ParsedElement& element) { found(index, element); });
      const int os_error = refusal_of(message);
      if (os_error != 0 && os_error != ENOENT) return fail_os("ask for elements of nft set", set.text(), os_error);
    }
  }
}

Result<void> NftReader::look_up(const SetName& set, std::span<const Element> elements,
                                const std::function<void(size_t, const ParsedElement&)>& found) {
  constexpr size_t questions_at_once = 256;  // their answers fit into the socket's buffer many times
  for (size_t base = 0; base < elements.size(); base += questions_at_once) {
    const auto portion = elements.subspan(base, std::min(questions_at_once, elements.size() - base));
    auto done = look_up_portion(set, portion,
                                [&](size_t index, const ParsedElement& element) { found(base + index, element); });
    if (!done) return done;
  }
  return {};
}

}  // namespace palang
