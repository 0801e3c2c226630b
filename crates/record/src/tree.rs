//! Main path and alternatives of a conversation that branches (formats.md §2.6).
//!
//! Works on parent links only. Child lists are stale or missing in real exports, and rows must not
//! change with them; siblings are therefore ordered by time, then id.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::{Kind, Role};

/// One node as the export has it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Node<'a> {
    pub(crate) id: &'a str,
    pub(crate) parent: Option<&'a str>,
    /// Who speaks, for visible messages; `None` for everything that makes no row.
    pub(crate) role: Option<Role>,
    /// Microseconds; orders siblings and breaks ties, nothing else.
    pub(crate) time: Option<i64>,
    /// System id that applies to this node.
    pub(crate) system: Option<&'a str>,
    /// Recorded settings of the generation, such as a thinking effort.
    pub(crate) settings: Option<&'a str>,
}

/// Where a visible node ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Index into the nodes given.
    pub(crate) node: usize,
    /// `Message` on the main path, otherwise the kind of alternative.
    pub(crate) kind: Kind,
    /// Nearest visible ancestor.
    pub(crate) parent: Option<usize>,
}

/// A resolved conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Every visible node once: main path in order, each message followed by its alternatives.
    pub(crate) rows: Vec<Placed>,
    /// Whether the main path runs through the node that the export calls current; `None` if the
    /// export names none.
    pub(crate) current_on_main: Option<bool>,
    /// Nodes whose parent does not exist. They are kept as further roots.
    pub(crate) orphans: u64,
    /// Cycles that were cut.
    pub(crate) cycles: u64,
}

impl Tree {
    /// Counts what was odd about the tree.
    pub(crate) fn note(&self, accounting: &mut crate::Accounting) {
        let mut add = |what: &str, n: u64| {
            if n > 0 {
                *accounting.notes.entry(what.to_owned()).or_default() += n;
            }
        };
        add("orphan_parent", self.orphans);
        add("cycle_cut", self.cycles);
        add(
            "current_node_off_main_path",
            u64::from(self.current_on_main == Some(false)),
        );
    }
}

const NONE: usize = usize::MAX;

/// Resolves parents, main path and alternatives.
///
/// The main path is the longest root-to-leaf path in visible messages; ties go to the path through
/// `current`, then to the later last time, then to the smaller id of its end. An answer off the main
/// path is compared with the main answer to the same nearest person message: same recorded system
/// and settings make it a replicate, anything else (unknown included) a variant. Person messages off
/// the main path are edits; answers below an edit have another context and are variants.
pub(crate) fn resolve(nodes: &[Node<'_>], current: Option<&str>) -> Tree {
    let mut links = Links::of(nodes);
    let mut tree = Tree {
        orphans: links.orphans,
        ..Tree::default()
    };
    let order = links.order(nodes, &mut tree.cycles);
    let current = current.map(|c| links.find(c));
    let main = links.main_path(nodes, &order, current);
    let mut on_main = vec![false; nodes.len()];
    for &i in &main {
        set(&mut on_main, i, true);
    }
    tree.current_on_main = current.map(|c| get(&on_main, c).unwrap_or(false));
    Placing::new(nodes, &links.parent, &order, &main, &on_main).rows(&mut tree.rows);
    tree
}

fn get<T: Copy>(slice: &[T], i: usize) -> Option<T> {
    slice.get(i).copied()
}

fn set<T>(slice: &mut [T], i: usize, value: T) {
    if let Some(slot) = slice.get_mut(i) {
        *slot = value;
    }
}

/// Parent links as indices; `NONE` for a root.
struct Links<'a> {
    index: FxHashMap<&'a str, usize>,
    parent: Vec<usize>,
    orphans: u64,
}

impl<'a> Links<'a> {
    fn of(nodes: &[Node<'a>]) -> Self {
        let mut index = FxHashMap::with_capacity_and_hasher(nodes.len(), Default::default());
        for (i, node) in nodes.iter().enumerate() {
            index.entry(node.id).or_insert(i);
        }
        let mut orphans = 0;
        let parent = nodes
            .iter()
            .map(|node| match node.parent {
                None => NONE,
                Some(p) => index.get(p).copied().unwrap_or_else(|| {
                    orphans += 1;
                    NONE
                }),
            })
            .collect();
        Links {
            index,
            parent,
            orphans,
        }
    }

    fn find(&self, id: &str) -> usize {
        self.index.get(id).copied().unwrap_or(NONE)
    }

    /// All nodes, parents before children, siblings by time and id. Cuts cycles on the way.
    fn order(&mut self, nodes: &[Node<'_>], cycles: &mut u64) -> Vec<usize> {
        self.cut_cycles(nodes, cycles);
        // Children of every node as one sorted list: by parent, then sibling order reversed, so
        // that a stack pops the first sibling first.
        let key = |&i: &usize| {
            let node = get(nodes, i).unwrap_or_default();
            (node.time.unwrap_or(i64::MAX), node.id, i)
        };
        let mut siblings: Vec<usize> = (0..nodes.len()).collect();
        siblings.sort_unstable_by_key(|i| Reverse(key(i)));
        let mut first = vec![NONE; nodes.len() + 1];
        let mut next = vec![NONE; nodes.len()];
        for &i in siblings.iter().rev() {
            let slot = get(&self.parent, i).unwrap_or(NONE).min(nodes.len());
            set(&mut next, i, get(&first, slot).unwrap_or(NONE));
            set(&mut first, slot, i);
        }
        let mut order = Vec::with_capacity(nodes.len());
        let mut stack = Vec::new();
        push_list(&mut stack, &first, &next, nodes.len());
        while let Some(i) = stack.pop() {
            order.push(i);
            push_list(&mut stack, &first, &next, i);
        }
        order
    }

    /// Turns the earliest node of every cycle into a root.
    fn cut_cycles(&mut self, nodes: &[Node<'_>], cycles: &mut u64) {
        // 0 = unseen, otherwise 1 + the walk that saw it first.
        let mut seen = vec![0usize; nodes.len()];
        for start in 0..nodes.len() {
            let mut at = start;
            while let Some(0) = get(&seen, at) {
                set(&mut seen, at, start + 1);
                at = get(&self.parent, at).unwrap_or(NONE);
            }
            if get(&seen, at) == Some(start + 1) {
                *cycles += 1;
                self.cut(nodes, at);
            }
        }
    }

    fn cut(&mut self, nodes: &[Node<'_>], on_cycle: usize) {
        let key = |i: usize| get(nodes, i).map(|n| (n.time.unwrap_or(i64::MAX), n.id));
        let (mut earliest, mut at) = (on_cycle, get(&self.parent, on_cycle).unwrap_or(NONE));
        while at != on_cycle && at != NONE {
            if key(at) < key(earliest) {
                earliest = at;
            }
            at = get(&self.parent, at).unwrap_or(NONE);
        }
        set(&mut self.parent, earliest, NONE);
    }

    /// Node indices from root to leaf.
    fn main_path(&self, nodes: &[Node<'_>], order: &[usize], current: Option<usize>) -> Vec<usize> {
        let mut best: Vec<Option<Best<'_>>> = vec![None; nodes.len()];
        let mut root: Option<Best<'_>> = None;
        for &i in order.iter().rev() {
            let node = get(nodes, i).unwrap_or_default();
            let below = best.get(i).copied().flatten();
            let here = Best::extend(below, &node, i, current);
            match best.get_mut(get(&self.parent, i).unwrap_or(NONE)) {
                Some(slot) => *slot = slot.filter(|b| b.beats(&here)).or(Some(here)),
                None => root = root.filter(|b| b.beats(&here)).or(Some(here)),
            }
            set(&mut best, i, below);
        }
        let mut path = Vec::new();
        let mut at = root;
        while let Some(step) = at {
            path.push(step.node);
            at = best.get(step.node).copied().flatten();
        }
        path
    }
}

fn push_list(stack: &mut Vec<usize>, first: &[usize], next: &[usize], slot: usize) {
    let mut at = get(first, slot).unwrap_or(NONE);
    while at != NONE {
        stack.push(at);
        at = get(next, at).unwrap_or(NONE);
    }
}

/// The best way down from a node, the node included.
#[derive(Clone, Copy)]
struct Best<'a> {
    node: usize,
    visible: u64,
    has_current: bool,
    last_time: Option<i64>,
    end: &'a str,
}

impl<'a> Best<'a> {
    fn extend(below: Option<Self>, node: &Node<'a>, i: usize, current: Option<usize>) -> Self {
        let own_time = node.role.and(node.time);
        Best {
            node: i,
            visible: below.map_or(0, |b| b.visible) + u64::from(node.role.is_some()),
            has_current: below.is_some_and(|b| b.has_current) || current == Some(i),
            last_time: below.and_then(|b| b.last_time).or(own_time),
            end: below.map_or(node.id, |b| b.end),
        }
    }

    fn beats(&self, other: &Self) -> bool {
        let key = |b: &Self| (b.visible, b.has_current, b.last_time);
        (key(self), Reverse(self.end)) > (key(other), Reverse(other.end))
    }
}

/// Assigns every visible node its place.
struct Placing<'a> {
    nodes: &'a [Node<'a>],
    order: &'a [usize],
    on_main: &'a [bool],
    /// Visible nodes of the main path, in order.
    messages: Vec<usize>,
    /// Nearest visible ancestor, and nearest ancestor that is a person's message.
    above: Vec<usize>,
    person_above: Vec<usize>,
    /// Next person message, and last answer before it, at or below a main-path node.
    next_person: Vec<usize>,
    answer: Vec<usize>,
    /// Nearest ancestor on the main path, visible or not.
    branch: Vec<usize>,
}

impl<'a> Placing<'a> {
    fn new(
        nodes: &'a [Node<'a>],
        parent: &[usize],
        order: &'a [usize],
        main: &[usize],
        on_main: &'a [bool],
    ) -> Self {
        let none = || vec![NONE; nodes.len()];
        let role = |i| get(nodes, i).and_then(|n: Node<'_>| n.role);
        let mut placing = Placing {
            nodes,
            order,
            on_main,
            messages: main
                .iter()
                .copied()
                .filter(|&i| role(i).is_some())
                .collect(),
            above: none(),
            person_above: none(),
            next_person: none(),
            answer: none(),
            branch: none(),
        };
        placing.look_up(parent);
        placing.look_down(main);
        placing
    }

    fn role(&self, i: usize) -> Option<Role> {
        get(self.nodes, i).and_then(|n| n.role)
    }

    fn is_system(&self, i: usize) -> bool {
        matches!(self.role(i), Some(Role::System))
    }

    fn look_up(&mut self, parent: &[usize]) {
        for &i in self.order {
            let p = get(parent, i).unwrap_or(NONE);
            let inherit = |known: &[usize]| get(known, p).unwrap_or(NONE);
            let above = if self.role(p).is_some() {
                p
            } else {
                inherit(&self.above)
            };
            let is_person = self.role(p).is_some() && !self.is_system(p);
            let person = if is_person {
                p
            } else {
                inherit(&self.person_above)
            };
            let on_main = get(self.on_main, p).unwrap_or(false);
            let branch = if on_main { p } else { inherit(&self.branch) };
            set(&mut self.above, i, above);
            set(&mut self.person_above, i, person);
            set(&mut self.branch, i, branch);
        }
    }

    fn look_down(&mut self, main: &[usize]) {
        let (mut next_person, mut answer) = (NONE, NONE);
        for &i in main.iter().rev() {
            // Values for what hangs below this node, hence before the node itself is counted.
            set(&mut self.next_person, i, next_person);
            set(&mut self.answer, i, answer);
            match self.role(i) {
                Some(Role::System) if answer == NONE => answer = i,
                Some(Role::System) | None => {}
                Some(_) => (next_person, answer) = (i, NONE),
            }
        }
    }

    fn rows(&self, rows: &mut Vec<Placed>) {
        let mut anchor = vec![NONE; self.nodes.len()];
        let mut hanging: FxHashMap<usize, Vec<Placed>> = FxHashMap::default();
        for &i in self.order {
            let off_main = !get(self.on_main, i).unwrap_or(false);
            if let (Some(role), true) = (self.role(i), off_main) {
                let at = self.anchor(i, role, &anchor);
                set(&mut anchor, i, at);
                let kind = self.kind(i, role);
                hanging.entry(at).or_default().push(self.placed(i, kind));
            }
        }
        for &i in &self.messages {
            rows.push(self.placed(i, Kind::Message));
            rows.extend(hanging.remove(&i).unwrap_or_default());
        }
    }

    fn placed(&self, i: usize, kind: Kind) -> Placed {
        let parent = get(&self.above, i).filter(|&p| p != NONE);
        Placed {
            node: i,
            kind,
            parent,
        }
    }

    /// The main-path message after which an alternative is listed.
    fn anchor(&self, i: usize, role: Role, anchors: &[usize]) -> usize {
        let above = get(&self.above, i).unwrap_or(NONE);
        if let Some(of_above) = get(anchors, above).filter(|&a| a != NONE) {
            return of_above;
        }
        let start = self.messages.first().copied().unwrap_or(NONE);
        let branch = get(&self.branch, i).unwrap_or(NONE);
        let wanted = if role == Role::System {
            get(&self.answer, branch)
        } else if branch == NONE {
            self.messages.iter().copied().find(|&m| !self.is_system(m))
        } else {
            get(&self.next_person, branch)
        };
        match wanted.filter(|&w| w != NONE) {
            Some(found) => found,
            None if self.role(branch).is_some() => branch,
            None => get(&self.above, branch)
                .filter(|&a| a != NONE)
                .unwrap_or(start),
        }
    }

    fn kind(&self, i: usize, role: Role) -> Kind {
        if role != Role::System {
            return Kind::Edit;
        }
        let person = get(&self.person_above, i).unwrap_or(NONE);
        let same = self
            .main_answer(person)
            .is_some_and(|answer| self.same_system(i, answer));
        if same { Kind::Replicate } else { Kind::Variant }
    }

    /// The main answer to a person message on the main path.
    fn main_answer(&self, person: usize) -> Option<usize> {
        get(&self.answer, person).filter(|&a| a != NONE)
    }

    fn same_system(&self, a: usize, b: usize) -> bool {
        match (get(self.nodes, a), get(self.nodes, b)) {
            (Some(a), Some(b)) => {
                a.system.is_some() && a.system == b.system && a.settings == b.settings
            }
            _ => false,
        }
    }
}
