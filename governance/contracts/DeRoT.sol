// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DeRoT: the governance of a decentralized root of trust, as a history that cannot have gaps.
///
/// Key management nodes follow this contract with a light client and let an application have a key only
/// because of something proven here. What counts is therefore not the state but the *complete list of
/// events*: every act is one event, and a reader can prove that he holds all of them.
///
/// How a list is proven complete. Each event is counted in `eventCount` and folded into `acc`:
///
///     acc' = keccak256(abi.encode(acc, n, block.number, block.timestamp, topic0, keccak256(data)))
///
/// with n the count including this event and acc = 0 before the first. One storage proof of slots 0 and 1
/// pins the whole list, its order and its times: an event that an RPC server hides changes both. Only
/// `_log` emits, always with one topic and no indexed argument, so that topic and data are all there is.
///
/// Who may do what.
///   council    Members with weights. A member proposes one of a closed list of acts; members vote with the
///              weight they had at the proposal's own second; anyone executes what reached the quorum.
///   guardians  May, each alone and at once, take rights away or cancel a proposal. They can never give one.
///   deployer   Whoever registered an application, about that application only.
///   nodes      About themselves; the node that the council named publishes a root generation's keys.
///   anyone     Registers an unused application identifier or himself as a node, and sends heartbeats.
///
/// Why grants wait and revocations do not. A grant names `due`, the second from which it holds, so that
/// everybody can see it coming and object; a build that was approved in secret must have been announced for
/// the whole notice period. A revocation answers a danger that is there already, and its worst outcome is a
/// key withheld for a while: waiting would only serve an attacker.
///
/// Why no proxy. Readers pin the hash of this code. It has no delegatecall, no selfdestruct, no owner and no
/// immutables, and is the same for every deployment: what an event means can never change under its readers.
/// A new version is a new contract, announced here by a profile.
///
/// Action codes and argument orders are those of governance/action.h; argument words are proposed and
/// emitted unchanged. Times are block timestamps in seconds, stakes are in gwei.
contract DeRoT {
	// --- Events. Declared for the ABI; emitted by _log alone. ---
	//
	// `proposal` is the executed proposal, or 0 where a guardian, a deployer or the constructor acted;
	// `by` is the account that acted (for a proposal: whoever executed it); `due` is the second from which
	// a grant holds.

	event MemberSet(uint64 proposal, uint64 due, address member, uint64 weight);
	event MemberRemoved(uint64 proposal, address member);
	event QuorumSet(uint64 proposal, uint64 due, uint64 quorum);
	event NoticeSet(uint64 proposal, uint64 due, uint64 class, uint64 period);
	event GuardianAdded(uint64 proposal, uint64 due, address guardian);
	event GuardianRemoved(uint64 proposal, address guardian);
	event Constituted(uint64 votingPeriod);

	event Proposed(uint64 proposal, address by, uint16 action, uint64 expires, bytes32[8] args);
	event Voted(uint64 proposal, address by, uint64 weight, bool support);
	event Cancelled(uint64 proposal, address by);
	event Executed(uint64 proposal, address by);

	event MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement);
	event MeasurementRevoked(uint64 proposal, address by, bytes32 measurement);

	event AppRegistered(address by, bytes32 app, bytes32 nonce, uint64 notice, uint64 confidence);
	event AppMeasurementAllowed(address by, uint64 due, bytes32 app, bytes32 measurement);
	event AppMeasurementRevoked(uint64 proposal, address by, bytes32 app, bytes32 measurement);
	event AppSuspended(uint64 proposal, address by, bytes32 app);
	event AppResumed(uint64 proposal, uint64 due, bytes32 app);
	event AppHandover(address by, uint64 due, bytes32 app, bytes32 from, bytes32 to);
	event AppHandoverEnded(address by, bytes32 app, bytes32 from, bytes32 to);
	event AppConfidenceRelaxed(address by, uint64 due, bytes32 app, uint64 confidence);
	event AppConfidenceTightened(address by, bytes32 app, uint64 confidence);

	event HardwareBlacklisted(uint64 proposal, address by, uint64 kind, bytes32 value, uint64 svn);
	event HardwareReinstated(uint64 proposal, uint64 due, uint64 kind, bytes32 value);

	event RootRotated(uint64 proposal, uint64 due, uint64 generation, address node, uint64 deadline);
	event RootPublished(address by, uint64 generation, bytes32[10] args);
	event RootShared(uint64 proposal, uint64 due, uint64 generation, address node);
	event RootRetired(uint64 proposal, uint64 generation);
	event RootExposed(uint64 proposal, address by, uint64 generation, uint64 deadline);

	event EpochPolicySet(address by, uint64 due, bytes32 app, bytes32 service, uint64 period, uint64 overlap);
	event EpochAdvanced(address by, bytes32 app, bytes32 service, uint64 epoch);

	event NodeRegistered(
		address by,
		address node,
		uint64 role,
		bytes32 measurement,
		bytes32 encKey,
		bytes32 tee,
		bytes32 family,
		uint64 svn,
		bytes32 device
	);
	event NodeStaked(address by, address node, uint64 stake);
	event NodeDeregistered(address by, address node);
	event NodeSlashed(uint64 proposal, address node, uint64 amount);
	event Heartbeat(address by, bytes32 nonce);

	event ProfileSet(uint64 proposal, uint64 due, bytes32 digest);

	// --- Refusals ---

	error NotMember();
	error NotGuardian();
	error NotDeployer();
	error NotNode();
	error BadAction();
	error BadArgument();
	/// The subject is not there: not allowed, not listed, not registered, not ordered.
	error Unknown();
	/// The subject is in that state already, or will be when its notice has run.
	error Already();
	/// The proposal is executed, cancelled or expired, or never was.
	error Closed();
	error AlreadyVoted();
	/// The votes do not carry the proposal.
	error Unsupported();
	/// The council could never reach its quorum again.
	error Unreachable();
	error TooEarly();
	error TooLate();
	error TransferFailed();

	// --- State. Slots 0 to 7 are read by proofs, named in the profile: never move them. ---

	/// A value in force from a second on. A list of them is ordered by `from`, strictly.
	struct Checkpoint {
		uint64 from;
		uint64 value;
	}

	/// The tallies are alone in their slots. With base = keccak256(abi.encode(uint256(id), uint256(7))):
	/// yes is slot base, no is slot base + 1.
	struct Proposal {
		uint256 yes;
		uint256 no;
		address by;
		uint16 action;
		uint8 status;
		uint64 snapshot;
		uint64 expires;
		bytes32[8] args;
	}

	struct App {
		address deployer;
		uint64 notice;
	}

	/// One service's epochs. `epoch` began at `epochTime`; a policy with due != 0 waits for its due. The
	/// overlap is for readers and is in the events alone.
	struct Epochs {
		bool set;
		uint64 period;
		uint64 epoch;
		uint64 epochTime;
		uint64 due;
		uint64 duePeriod;
	}

	struct Root {
		address node;
		uint64 due;
		uint64 deadline;
		uint64 exposed;
		bool retired;
	}

	struct Node {
		uint64 role;
		uint64 stake;
		/// 0 while registered; then the second from which the stake may be withdrawn.
		uint64 withdrawFrom;
		/// Counts the registrations of this account: a share of a root is for one of them.
		uint64 serial;
	}

	/// Slot 0: how many events there are.
	uint256 public eventCount;
	/// Slot 1: the rolling hash over all of them.
	bytes32 public acc;
	/// Slot 2: measurement of a key management build → due; 0: not allowed.
	mapping(bytes32 => uint64) public measurementDue;
	/// Slot 3: application → its measurement → due; 0: not allowed.
	mapping(bytes32 => mapping(bytes32 => uint64)) public appMeasurementDue;
	/// Slot 4: dimension → value → svn + 1; 0: never listed. Stays when reinstated.
	mapping(uint8 => mapping(bytes32 => uint64)) public hardware;
	/// Slot 5: root generation → keccak256(prf_pub ‖ sig_pub); 0: not published.
	mapping(uint64 => bytes32) public rootPublished;
	/// Slot 6: application → 0: never suspended; 1: suspended; else the second from which it is resumed.
	mapping(bytes32 => uint64) public suspended;
	/// Slot 7.
	mapping(uint64 => Proposal) public proposals;

	mapping(uint64 => mapping(address => bool)) public voted;
	uint64 public proposalCount;
	uint64 public votingPeriod;
	/// Everybody whose weight is or will be other than 0, in no order.
	address[] private members;
	mapping(address => Checkpoint[]) private weights;
	Checkpoint[] private quorums;
	mapping(uint8 => Checkpoint[]) private notices;
	mapping(address => Checkpoint[]) private guardians;
	mapping(uint8 => mapping(bytes32 => uint64)) public hardwareReinstateDue;
	mapping(bytes32 => App) public apps;
	mapping(bytes32 => Checkpoint[]) private confidences;
	mapping(bytes32 => mapping(bytes32 => mapping(bytes32 => uint64))) public handoverDue;
	mapping(bytes32 => mapping(bytes32 => Epochs)) private epochs;
	mapping(uint64 => Root) public roots;
	uint64 public lastGeneration;
	mapping(uint64 => mapping(address => uint64)) public sharedSerial;
	mapping(address => Node) public nodes;
	/// The digest set last; in force from profileDue on.
	bytes32 public profile;
	uint64 public profileDue;

	// --- Constants (no storage, no immutables: the code is the same everywhere) ---

	uint8 private constant OPEN = 1;
	uint8 private constant CANCELLED = 2;
	uint8 private constant EXECUTED = 3;

	uint16 private constant GUARDIAN_REMOVE = 6;

	// Classes of notice.
	uint8 private constant COUNCIL = 0;
	uint8 private constant MEASUREMENT = 1;
	uint8 private constant ROOT = 2;
	uint8 private constant PROFILE = 3;
	uint8 private constant APP = 4;
	uint8 private constant CLASSES = 5;

	uint64 private constant ROLE_KMS = 1;
	uint64 private constant ROLE_WORKER = 2;
	uint64 private constant KIND_MAX = 5;
	uint64 private constant CONFIDENCE_MAX = 5;

	// Bounds that keep the council able to act: sums of weights fit, no due overflows, no notice is for ever.
	uint64 private constant WEIGHT_MAX = type(uint32).max;
	uint64 private constant PERIOD_MAX = 3650 days;
	uint256 private constant MEMBERS_MAX = 64;

	// --- The founding: the first and last acts without a proposal that grant anything to the council ---

	constructor(
		address[] memory founders,
		uint64[] memory founderWeights,
		address[] memory firstGuardians,
		uint64 quorum,
		uint64 period,
		uint64[5] memory firstNotices,
		bytes32 firstProfile
	) {
		uint64 time = _now();
		if (founders.length != founderWeights.length) revert BadArgument();
		if (quorum == 0 || period == 0 || period > PERIOD_MAX) revert BadArgument();
		votingPeriod = period;
		for (uint256 i = 0; i < founders.length; i++) {
			if (_last(weights[founders[i]]) != 0) revert Already();
			_memberSet(0, time, founders[i], founderWeights[i]);
		}
		_set(quorums, time, quorum);
		_requireReachable();
		_log(QuorumSet.selector, abi.encode(uint64(0), time, quorum));
		for (uint8 class = 0; class < CLASSES; class++) _noticeSet(0, time, class, firstNotices[class]);
		for (uint256 i = 0; i < firstGuardians.length; i++) _guardianAdd(0, time, firstGuardians[i]);
		if (firstProfile != 0) _profileSet(0, time, firstProfile);
		_log(Constituted.selector, abi.encode(period));
	}

	// --- Council ---

	/// By a member: asks the council for one act. Words beyond the act's arguments must be zero.
	function propose(uint16 action, bytes32[8] calldata args) external returns (uint64 id) {
		uint64 time = _now();
		if (_at(weights[msg.sender], time) == 0) revert NotMember();
		_requireShape(action, args);
		id = ++proposalCount;
		Proposal storage p = proposals[id];
		p.by = msg.sender;
		p.action = action;
		p.status = OPEN;
		p.snapshot = time;
		p.expires = time + votingPeriod;
		p.args = args;
		_log(Proposed.selector, abi.encode(id, msg.sender, action, p.expires, args));
	}

	/// By whoever was a member at the proposal's second, once, with the weight of that second: a weight
	/// gained or moved to another account later votes on later proposals only.
	function vote(uint64 id, bool support) external {
		Proposal storage p = _open(id);
		uint64 weight = _at(weights[msg.sender], p.snapshot);
		if (weight == 0) revert NotMember();
		if (voted[id][msg.sender]) revert AlreadyVoted();
		voted[id][msg.sender] = true;
		if (support) p.yes += weight;
		else p.no += weight;
		_log(Voted.selector, abi.encode(id, msg.sender, weight, support));
	}

	/// By the proposer or a guardian; but no guardian may stop a guardian's removal, or a lost one could stop
	/// everything for ever.
	function cancel(uint64 id) external {
		Proposal storage p = _open(id);
		if (msg.sender != p.by) {
			_requireGuardian();
			if (p.action == GUARDIAN_REMOVE) revert BadAction();
		}
		p.status = CANCELLED;
		_log(Cancelled.selector, abi.encode(id, msg.sender));
	}

	/// By anyone, since the votes decide. The act's event follows Executed in the same transaction.
	function execute(uint64 id) external {
		Proposal storage p = _open(id);
		if (p.yes < _at(quorums, p.snapshot) || p.yes <= p.no) revert Unsupported();
		p.status = EXECUTED;
		_log(Executed.selector, abi.encode(id, msg.sender));
		_act(id, p.action, p.args);
	}

	// --- Guardians: each alone, at once, and only ever against a right ---

	function revokeMeasurement(bytes32 measurement) external {
		_requireGuardian();
		_measurementRevoke(0, measurement);
	}

	function blacklist(uint64 kind, bytes32 value, uint64 svn) external {
		_requireGuardian();
		_blacklist(0, kind, value, svn);
	}

	function exposeRoot(uint64 generation, uint64 deadline) external {
		_requireGuardian();
		_rootExpose(0, generation, deadline);
	}

	/// By a guardian or the deployer.
	function revokeAppMeasurement(bytes32 app, bytes32 measurement) external {
		_requireGuardianOrDeployer(app);
		_appMeasurementRevoke(0, app, measurement);
	}

	/// By a guardian or the deployer. Only the council resumes.
	function suspendApp(bytes32 app) external {
		_requireGuardianOrDeployer(app);
		_appSuspend(0, app);
	}

	// --- Deployers ---

	/// By anyone, who becomes the deployer for ever. The notice an application takes upon itself is at least
	/// what the council demands now, and cannot be changed later.
	function registerApp(bytes32 app, bytes32 nonce, uint64 notice, uint64 confidence) external {
		uint64 time = _now();
		if (app == 0 || confidence == 0 || confidence > CONFIDENCE_MAX) revert BadArgument();
		if (notice < _at(notices[APP], time) || notice > PERIOD_MAX) revert BadArgument();
		if (apps[app].deployer != address(0)) revert Already();
		apps[app] = App(msg.sender, notice);
		_set(confidences[app], time, confidence);
		_log(AppRegistered.selector, abi.encode(msg.sender, app, nonce, notice, confidence));
	}

	/// By the deployer: a new version of the application, allowed when its notice has run.
	function announce(bytes32 app, bytes32 measurement) external {
		uint64 due = _requireDeployer(app);
		if (measurement == 0) revert BadArgument();
		if (appMeasurementDue[app][measurement] != 0) revert Already();
		appMeasurementDue[app][measurement] = due;
		_log(AppMeasurementAllowed.selector, abi.encode(msg.sender, due, app, measurement));
	}

	/// By the deployer: version `to` may also have the keys of version `from`. A version may be handed to itself:
	/// that is how it reaches its keys of the root generation before, to move its data.
	function handover(bytes32 app, bytes32 from, bytes32 to) external {
		uint64 due = _requireDeployer(app);
		if (from == 0 || to == 0) revert BadArgument();
		if (handoverDue[app][from][to] != 0) revert Already();
		handoverDue[app][from][to] = due;
		_log(AppHandover.selector, abi.encode(msg.sender, due, app, from, to));
	}

	function endHandover(bytes32 app, bytes32 from, bytes32 to) external {
		_requireDeployer(app);
		if (handoverDue[app][from][to] == 0) revert Unknown();
		delete handoverDue[app][from][to];
		_log(AppHandoverEnded.selector, abi.encode(msg.sender, app, from, to));
	}

	/// By the deployer: accepts worse attestation (a higher level) when the notice has run.
	function relaxConfidence(bytes32 app, uint64 level) external {
		uint64 due = _requireDeployer(app);
		if (level > CONFIDENCE_MAX || level <= _last(confidences[app])) revert BadArgument();
		_set(confidences[app], due, level);
		_log(AppConfidenceRelaxed.selector, abi.encode(msg.sender, due, app, level));
	}

	/// By the deployer: demands better attestation now, and drops a relaxation that has not begun. Never
	/// above the level in force, or a pending relaxation could be let in early.
	function tightenConfidence(bytes32 app, uint64 level) external {
		_requireDeployer(app);
		Checkpoint[] storage cps = confidences[app];
		if (level == 0 || level > _at(cps, _now())) revert BadArgument();
		if (level == _last(cps)) revert Already();
		_set(cps, _now(), level);
		_log(AppConfidenceTightened.selector, abi.encode(msg.sender, app, level));
	}

	/// By the deployer: how fast the epochs of one storage service pass. Period 0: by advanceEpoch alone.
	/// The first policy holds at once (there are no keys yet), a later one after the notice; it replaces
	/// one that still waits.
	function setEpochPolicy(bytes32 app, bytes32 service, uint64 period, uint64 overlap) external {
		uint64 due = _requireDeployer(app);
		if (period > PERIOD_MAX || overlap > PERIOD_MAX) revert BadArgument();
		uint64 time = _now();
		Epochs storage e = epochs[app][service];
		if (!e.set) {
			due = time;
			e.set = true;
			e.period = period;
			e.epochTime = time;
		} else {
			_carry(e, time);
			e.due = due;
			e.duePeriod = period;
		}
		_log(EpochPolicySet.selector, abi.encode(msg.sender, due, app, service, period, overlap));
	}

	/// By the deployer: ends the epoch in force now.
	function advanceEpoch(bytes32 app, bytes32 service) external {
		_requireDeployer(app);
		Epochs storage e = epochs[app][service];
		if (!e.set) revert Unknown();
		_carry(e, _now());
		e.epoch += 1;
		e.epochTime = _now();
		_log(EpochAdvanced.selector, abi.encode(msg.sender, app, service, e.epoch));
	}

	// --- Nodes. A node is the account that registered it. ---

	/// By anyone, about himself. Registering again replaces the data and keeps the stake. Registration
	/// grants nothing: the council names nodes, and their measurement must be allowed.
	function registerNode(
		uint64 role,
		bytes32 measurement,
		bytes32 encKey,
		bytes32, /* tee */
		bytes32, /* family */
		uint64, /* svn */
		bytes32 /* device */
	) external payable {
		if ((role != ROLE_KMS && role != ROLE_WORKER) || measurement == 0 || encKey == 0) revert BadArgument();
		Node storage node = nodes[msg.sender];
		node.role = role;
		node.withdrawFrom = 0;
		node.serial += 1;
		// The seven arguments go into the event as they came; the decoder has refused unclean words.
		_log(NodeRegistered.selector, bytes.concat(abi.encode(msg.sender, msg.sender), msg.data[4:228]));
		_stake(node);
	}

	/// By a registered node.
	function stake() external payable {
		Node storage node = nodes[msg.sender];
		if (node.role == 0) revert NotNode();
		if (msg.value == 0) revert BadArgument();
		_stake(node);
	}

	/// By a registered node. Its stake can still be slashed until it is withdrawn.
	function deregisterNode() external {
		Node storage node = nodes[msg.sender];
		if (node.role == 0) revert NotNode();
		node.role = 0;
		node.withdrawFrom = _due(ROOT);
		_log(NodeDeregistered.selector, abi.encode(msg.sender, msg.sender));
	}

	/// By a node that has left, after the notice. No event: a stake that is no longer at risk means nothing
	/// to a reader. The only call this contract makes; all state is written before it.
	function withdraw() external {
		Node storage node = nodes[msg.sender];
		if (node.withdrawFrom == 0 || node.stake == 0) revert Unknown();
		if (_now() < node.withdrawFrom) revert TooEarly();
		uint256 value = uint256(node.stake) * 1 gwei;
		node.stake = 0;
		(bool ok, ) = msg.sender.call{value: value}("");
		if (!ok) revert TransferFailed();
	}

	/// By the node that the council named for this generation, once, within its time. pub: scheme, prf_pub,
	/// prf_c, prf_s, sig_pub, sig_r, sig_s, quote, prev_r, prev_s. The proofs are for the readers to check;
	/// scheme is u8 scheme ‖ u8 t ‖ u8 n in the lowest three bytes.
	function publishRoot(uint64 generation, bytes32[10] calldata pub) external {
		Root storage root = roots[generation];
		if (root.node == address(0) || root.retired) revert Unknown();
		if (msg.sender != root.node || nodes[msg.sender].role != ROLE_KMS) revert NotNode();
		if (_now() < root.due) revert TooEarly();
		if (_now() > root.deadline) revert TooLate();
		if (rootPublished[generation] != 0) revert Already();
		uint256 scheme = uint256(pub[0]);
		uint256 t = (scheme >> 8) & 0xff;
		if (scheme >> 16 != 1 || t == 0 || t > (scheme & 0xff)) revert BadArgument();
		if (pub[1] == 0 || pub[4] == 0) revert BadArgument();
		rootPublished[generation] = keccak256(abi.encode(pub[1], pub[4]));
		_log(RootPublished.selector, abi.encode(msg.sender, generation, pub));
	}

	/// By anyone: shows a reader who drew the nonce that what he sees is younger than the drawing.
	function heartbeat(bytes32 nonce) external {
		_log(Heartbeat.selector, abi.encode(msg.sender, nonce));
	}

	// --- Views, for people; proofs read slots ---

	function weightAt(address member, uint64 time) external view returns (uint64) {
		return _at(weights[member], time);
	}

	function quorumAt(uint64 time) external view returns (uint64) {
		return _at(quorums, time);
	}

	function noticeAt(uint8 class, uint64 time) external view returns (uint64) {
		return _at(notices[class], time);
	}

	function guardianAt(address who, uint64 time) external view returns (bool) {
		return _at(guardians[who], time) != 0;
	}

	function confidenceAt(bytes32 app, uint64 time) external view returns (uint64) {
		return _at(confidences[app], time);
	}

	/// The epoch in force at `time`, not before the last change, and when it began.
	function epochAt(bytes32 app, bytes32 service, uint64 time) external view returns (uint64, uint64) {
		Epochs memory e = epochs[app][service];
		if (!e.set || time < e.epochTime) revert Unknown();
		if (e.due != 0 && e.due <= time) {
			(e.epoch, e.epochTime) = _carried(e.period, e.epoch, e.epochTime, e.due);
			e.period = e.duePeriod;
		}
		return _carried(e.period, e.epoch, e.epochTime, time);
	}

	// --- Acts of the council ---

	/// The types of an act's arguments, argument 0 in the lowest four bits: 1 bytes32, 2 uint64, 3 address,
	/// 0 none. 0 for what the council cannot do.
	function _shape(uint16 action) private pure returns (uint256) {
		if (action == 1) return 0x23; // member, weight
		if (action == 2) return 0x3; // member
		if (action == 3) return 0x2; // quorum
		if (action == 4) return 0x22; // class, seconds
		if (action == 5) return 0x3; // guardian
		if (action == 6) return 0x3; // guardian
		if (action == 20) return 0x1; // measurement
		if (action == 21) return 0x1; // measurement
		if (action == 32) return 0x11; // app, measurement
		if (action == 33) return 0x1; // app
		if (action == 34) return 0x1; // app
		if (action == 40) return 0x212; // kind, value, svn
		if (action == 41) return 0x12; // kind, value
		if (action == 50) return 0x232; // generation, node, deadline
		if (action == 52) return 0x32; // generation, node
		if (action == 53) return 0x2; // generation
		if (action == 54) return 0x22; // generation, deadline
		if (action == 73) return 0x23; // node, amount
		if (action == 80) return 0x1; // digest
		return 0;
	}

	function _requireShape(uint16 action, bytes32[8] calldata args) private pure {
		uint256 shape = _shape(action);
		if (shape == 0) revert BadAction();
		for (uint256 i = 0; i < 8; i++) {
			uint256 word = uint256(args[i]);
			uint256 kind = (shape >> (4 * i)) & 15;
			if (kind == 0 && word != 0) revert BadArgument();
			if (kind == 2 && word >> 64 != 0) revert BadArgument();
			if (kind == 3 && word >> 160 != 0) revert BadArgument();
		}
	}

	function _act(uint64 id, uint16 action, bytes32[8] memory args) private {
		bytes32 a = args[0];
		bytes32 b = args[1];
		if (action == 1) _memberSet(id, _due(COUNCIL), _address(a), _uint(b));
		else if (action == 2) _memberRemove(id, _address(a));
		else if (action == 3) _quorumSet(id, _uint(a));
		else if (action == 4) _noticeSet(id, _due(COUNCIL), _uint(a), _uint(b));
		else if (action == 5) _guardianAdd(id, _due(COUNCIL), _address(a));
		else if (action == 6) _guardianRemove(id, _address(a));
		else if (action == 20) _measurementAllow(id, a);
		else if (action == 21) _measurementRevoke(id, a);
		else if (action == 32) _appMeasurementRevoke(id, a, b);
		else if (action == 33) _appSuspend(id, a);
		else if (action == 34) _appResume(id, a);
		else if (action == 40) _blacklist(id, _uint(a), b, _uint(args[2]));
		else if (action == 41) _reinstate(id, _uint(a), b);
		else if (action == 50) _rootRotate(id, _uint(a), _address(b), _uint(args[2]));
		else if (action == 52) _rootShare(id, _uint(a), _address(b));
		else if (action == 53) _rootRetire(id, _uint(a));
		else if (action == 54) _rootExpose(id, _uint(a), _uint(b));
		else if (action == 73) _nodeSlash(id, _address(a), _uint(b));
		else if (action == 80) _profileSet(id, _due(PROFILE), a);
		else revert BadAction();
	}

	function _memberSet(uint64 id, uint64 due, address member, uint64 weight) private {
		if (member == address(0) || weight == 0 || weight > WEIGHT_MAX) revert BadArgument();
		if (_last(weights[member]) == 0) {
			if (members.length == MEMBERS_MAX) revert BadArgument();
			members.push(member);
		}
		_set(weights[member], due, weight);
		if (id != 0) _requireReachable();
		_log(MemberSet.selector, abi.encode(id, due, member, weight));
	}

	/// At once; also drops a weight that still waits for its due.
	function _memberRemove(uint64 id, address member) private {
		if (_last(weights[member]) == 0) revert Unknown();
		_set(weights[member], _now(), 0);
		uint256 i = 0;
		while (members[i] != member) i++;
		members[i] = members[members.length - 1];
		members.pop();
		_requireReachable();
		_log(MemberRemoved.selector, abi.encode(id, member));
	}

	function _quorumSet(uint64 id, uint64 quorum) private {
		uint64 due = _due(COUNCIL);
		if (quorum == 0) revert BadArgument();
		_set(quorums, due, quorum);
		_requireReachable();
		_log(QuorumSet.selector, abi.encode(id, due, quorum));
	}

	function _noticeSet(uint64 id, uint64 due, uint64 class, uint64 period) private {
		if (class >= CLASSES || period > PERIOD_MAX) revert BadArgument();
		_set(notices[uint8(class)], due, period);
		_log(NoticeSet.selector, abi.encode(id, due, class, period));
	}

	function _guardianAdd(uint64 id, uint64 due, address guardian) private {
		if (guardian == address(0)) revert BadArgument();
		if (_last(guardians[guardian]) != 0) revert Already();
		_set(guardians[guardian], due, 1);
		_log(GuardianAdded.selector, abi.encode(id, due, guardian));
	}

	function _guardianRemove(uint64 id, address guardian) private {
		if (_last(guardians[guardian]) == 0) revert Unknown();
		_set(guardians[guardian], _now(), 0);
		_log(GuardianRemoved.selector, abi.encode(id, guardian));
	}

	function _measurementAllow(uint64 id, bytes32 measurement) private {
		uint64 due = _due(MEASUREMENT);
		if (measurement == 0) revert BadArgument();
		if (measurementDue[measurement] != 0) revert Already();
		measurementDue[measurement] = due;
		_log(MeasurementAllowed.selector, abi.encode(id, due, measurement));
	}

	function _measurementRevoke(uint64 id, bytes32 measurement) private {
		if (measurementDue[measurement] == 0) revert Unknown();
		delete measurementDue[measurement];
		_log(MeasurementRevoked.selector, abi.encode(id, msg.sender, measurement));
	}

	function _appMeasurementRevoke(uint64 id, bytes32 app, bytes32 measurement) private {
		if (appMeasurementDue[app][measurement] == 0) revert Unknown();
		delete appMeasurementDue[app][measurement];
		_log(AppMeasurementRevoked.selector, abi.encode(id, msg.sender, app, measurement));
	}

	/// Also ends a resumption that still waits for its due.
	function _appSuspend(uint64 id, bytes32 app) private {
		if (apps[app].deployer == address(0)) revert Unknown();
		if (suspended[app] == 1) revert Already();
		suspended[app] = 1;
		_log(AppSuspended.selector, abi.encode(id, msg.sender, app));
	}

	function _appResume(uint64 id, bytes32 app) private {
		uint64 due = _due(MEASUREMENT);
		if (suspended[app] == 0) revert Unknown();
		if (suspended[app] != 1) revert Already();
		suspended[app] = due;
		_log(AppResumed.selector, abi.encode(id, due, app));
	}

	/// Listing again ends a reinstatement that still waits. While a value is listed, its least svn can only
	/// rise: a lower one would be a grant without notice.
	function _blacklist(uint64 id, uint64 kind, bytes32 value, uint64 svn) private {
		if (kind == 0 || kind > KIND_MAX || value == 0 || svn == type(uint64).max) revert BadArgument();
		uint64 listed = hardware[uint8(kind)][value];
		uint64 due = hardwareReinstateDue[uint8(kind)][value];
		if (listed != 0 && (due == 0 || _now() < due)) {
			if (svn + 1 < listed) revert BadArgument();
			if (svn + 1 == listed && due == 0) revert Already();
		}
		hardware[uint8(kind)][value] = svn + 1;
		delete hardwareReinstateDue[uint8(kind)][value];
		_log(HardwareBlacklisted.selector, abi.encode(id, msg.sender, kind, value, svn));
	}

	function _reinstate(uint64 id, uint64 kind, bytes32 value) private {
		uint64 due = _due(MEASUREMENT);
		if (kind == 0 || kind > KIND_MAX) revert BadArgument();
		if (hardware[uint8(kind)][value] == 0) revert Unknown();
		if (hardwareReinstateDue[uint8(kind)][value] != 0) revert Already();
		hardwareReinstateDue[uint8(kind)][value] = due;
		_log(HardwareReinstated.selector, abi.encode(id, due, kind, value));
	}

	/// One generation at a time: the one before must be published, retired or past its deadline.
	function _rootRotate(uint64 id, uint64 generation, address node, uint64 deadline) private {
		uint64 due = _due(ROOT);
		uint64 last = lastGeneration;
		if (generation != last + 1 || deadline <= due || deadline > due + PERIOD_MAX) revert BadArgument();
		if (nodes[node].role != ROLE_KMS) revert NotNode();
		if (last != 0 && rootPublished[last] == 0 && !roots[last].retired && _now() <= roots[last].deadline)
			revert Already();
		lastGeneration = generation;
		Root storage root = roots[generation];
		root.node = node;
		root.due = due;
		root.deadline = deadline;
		_log(RootRotated.selector, abi.encode(id, due, generation, node, deadline));
	}

	/// A share is for a node as it is registered now; when it registers anew it needs a new one.
	function _rootShare(uint64 id, uint64 generation, address node) private {
		uint64 due = _due(ROOT);
		Root storage root = roots[generation];
		if (rootPublished[generation] == 0 || root.retired || _stopped(root)) revert Unknown();
		if (nodes[node].role != ROLE_KMS) revert NotNode();
		if (sharedSerial[generation][node] == nodes[node].serial) revert Already();
		sharedSerial[generation][node] = nodes[node].serial;
		_log(RootShared.selector, abi.encode(id, due, generation, node));
	}

	/// At once; retires an ordered generation too, before it is published. One that missed its deadline is
	/// nothing to retire.
	function _rootRetire(uint64 id, uint64 generation) private {
		Root storage root = roots[generation];
		if (root.node == address(0)) revert Unknown();
		if (root.retired) revert Already();
		if (rootPublished[generation] == 0 && _now() > root.deadline) revert TooLate();
		root.retired = true;
		_log(RootRetired.selector, abi.encode(id, generation));
	}

	/// Exposed: nothing is granted from this generation once a block reaches the deadline, which can only be
	/// brought forward.
	function _rootExpose(uint64 id, uint64 generation, uint64 deadline) private {
		Root storage root = roots[generation];
		if (rootPublished[generation] == 0 || root.retired) revert Unknown();
		if (deadline == 0 || deadline > _now() + PERIOD_MAX) revert BadArgument();
		if (_stopped(root) || (root.exposed != 0 && deadline >= root.exposed)) revert Already();
		root.exposed = deadline;
		_log(RootExposed.selector, abi.encode(id, msg.sender, generation, deadline));
	}

	/// Takes what is there, up to amount; the event says what the council decided. What is taken stays here
	/// for ever.
	function _nodeSlash(uint64 id, address node, uint64 amount) private {
		uint64 held = nodes[node].stake;
		if (held == 0) revert Unknown();
		if (amount == 0) revert BadArgument();
		nodes[node].stake = amount < held ? held - amount : 0;
		_log(NodeSlashed.selector, abi.encode(id, node, amount));
	}

	function _profileSet(uint64 id, uint64 due, bytes32 digest) private {
		if (digest == 0) revert BadArgument();
		profile = digest;
		profileDue = due;
		_log(ProfileSet.selector, abi.encode(id, due, digest));
	}

	// --- The floor ---

	/// The only place that emits.
	function _log(bytes32 topic0, bytes memory data) private {
		eventCount += 1;
		acc = keccak256(abi.encode(acc, eventCount, block.number, block.timestamp, topic0, keccak256(data)));
		assembly ("memory-safe") {
			log1(add(data, 32), mload(data), topic0)
		}
	}

	function _requireGuardian() private view {
		if (_at(guardians[msg.sender], _now()) == 0) revert NotGuardian();
	}

	function _requireGuardianOrDeployer(bytes32 app) private view {
		if (msg.sender != apps[app].deployer) _requireGuardian();
	}

	/// Returns when a grant made now will hold.
	function _requireDeployer(bytes32 app) private view returns (uint64 due) {
		if (apps[app].deployer == address(0)) revert Unknown();
		if (msg.sender != apps[app].deployer) revert NotDeployer();
		return _now() + apps[app].notice;
	}

	/// The council can reach its quorum now, and when all that waits has come due: it never locks itself out.
	function _requireReachable() private view {
		uint256 sum = 0;
		uint256 sumLast = 0;
		for (uint256 i = 0; i < members.length; i++) {
			Checkpoint[] storage cps = weights[members[i]];
			sum += _at(cps, _now());
			sumLast += _last(cps);
		}
		if (sum < _at(quorums, _now()) || sumLast < _last(quorums)) revert Unreachable();
	}

	function _open(uint64 id) private view returns (Proposal storage p) {
		p = proposals[id];
		if (p.status != OPEN || _now() > p.expires) revert Closed();
	}

	/// From `from` on the value holds; what was decided for later is overridden, what held before stays.
	function _set(Checkpoint[] storage cps, uint64 from, uint64 value) private {
		while (cps.length != 0 && cps[cps.length - 1].from >= from) cps.pop();
		cps.push(Checkpoint(from, value));
	}

	/// The value in force at `time`; 0 before the first.
	function _at(Checkpoint[] storage cps, uint64 time) private view returns (uint64) {
		for (uint256 i = cps.length; i > 0; i--) if (cps[i - 1].from <= time) return cps[i - 1].value;
		return 0;
	}

	/// The value that will hold when everything decided has come due.
	function _last(Checkpoint[] storage cps) private view returns (uint64) {
		return cps.length == 0 ? 0 : cps[cps.length - 1].value;
	}

	/// Brings the record to `time`: a policy that came due in between took over at its own due.
	function _carry(Epochs storage e, uint64 time) private {
		if (e.due != 0 && e.due <= time) {
			(e.epoch, e.epochTime) = _carried(e.period, e.epoch, e.epochTime, e.due);
			(e.period, e.due) = (e.duePeriod, 0);
		}
		(e.epoch, e.epochTime) = _carried(e.period, e.epoch, e.epochTime, time);
	}

	function _carried(
		uint64 period,
		uint64 epoch,
		uint64 epochTime,
		uint64 time
	) private pure returns (uint64, uint64) {
		if (period == 0 || time <= epochTime) return (epoch, epochTime);
		uint64 passed = (time - epochTime) / period;
		return (epoch + passed, epochTime + passed * period);
	}

	function _stake(Node storage node) private {
		if (msg.value % 1 gwei != 0 || msg.value / 1 gwei > type(uint64).max) revert BadArgument();
		node.stake += uint64(msg.value / 1 gwei);
		_log(NodeStaked.selector, abi.encode(msg.sender, msg.sender, node.stake));
	}

	/// Exposed, and its deadline has come.
	function _stopped(Root storage root) private view returns (bool) {
		return root.exposed != 0 && root.exposed <= _now();
	}

	function _due(uint8 class) private view returns (uint64) {
		return _now() + _at(notices[class], _now());
	}

	function _now() private view returns (uint64) {
		return uint64(block.timestamp);
	}

	function _uint(bytes32 word) private pure returns (uint64) {
		return uint64(uint256(word));
	}

	function _address(bytes32 word) private pure returns (address) {
		return address(uint160(uint256(word)));
	}
}
