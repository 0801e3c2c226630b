//! Who is a friend of whom: an undirected graph without loops, drawn from a rule or read from a list.

use std::collections::BTreeSet;

use super::purpose;
use crate::draw::Draws;

/// A rule that makes a graph of any number of people.
#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    /// Every pair is joined with one probability, so that people have this many friends on average
    /// (Erdős & Rényi 1959).
    Random {
        /// Mean number of friends.
        degree: f64,
    },
    /// A ring on which everybody is joined to the nearest, and each edge is led elsewhere with a
    /// probability (Watts & Strogatz 1998).
    SmallWorld {
        /// Friends of each person on the ring: an even number.
        degree: usize,
        /// Probability that an edge is led elsewhere.
        rewired: f64,
    },
    /// People come one by one and each joins this many who are there, by how many friends those have
    /// (Barabási & Albert 1999).
    Preferential {
        /// Edges of each newcomer.
        links: usize,
    },
    /// Edges as given, of people numbered from 0.
    Edges(Vec<(u32, u32)>),
}

/// Who is a friend of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    friends: Vec<Vec<u32>>,
}

/// What is wrong with a list of edges, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct EdgeError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a list of edges: two numbers of people on a line with a comma between, from 0. A first line
/// without digits is taken as names of columns.
///
/// # Errors
/// For a line that is something else, a person who is their own friend, and a list without edges.
///
/// ```
/// use driftlead_sim::feed::opinion::graph::edges;
/// assert_eq!(edges("a,b\n0,1\n1,2\n").unwrap(), [(0, 1), (1, 2)]);
/// assert_eq!(edges("0,0").unwrap_err().to_string(), "line 1: person 0 cannot be their own friend");
/// ```
pub fn edges(text: &str) -> Result<Vec<(u32, u32)>, EdgeError> {
    let mut all = Vec::new();
    for (i, row) in text.lines().enumerate() {
        let error = |message: String| EdgeError {
            line: i + 1,
            message,
        };
        let named = i == 0 && !row.contains(|c: char| c.is_ascii_digit());
        if named || row.trim().is_empty() {
            continue;
        }
        let two = row.split_once(',').and_then(|(a, b)| {
            let one = |s: &str| s.trim().parse::<u32>().ok();
            one(a).zip(one(b))
        });
        match two {
            Some((a, b)) if a == b => {
                return Err(error(format!("person {a} cannot be their own friend")));
            }
            Some(edge) => all.push(edge),
            None => {
                let short: String = row.chars().take(40).collect();
                let message = format!("\"{short}\" is not two numbers with a comma between");
                return Err(error(message));
            }
        }
    }
    match all.is_empty() {
        true => Err(EdgeError {
            line: 1,
            message: "there are no edges".to_owned(),
        }),
        false => Ok(all),
    }
}

impl Network {
    /// The graph of `people`, drawn with a seed.
    ///
    /// # Errors
    /// A sentence that says why there is none for so many people.
    pub fn graph(&self, people: usize, seed: u64) -> Result<Graph, String> {
        let draws = Draws::new(seed);
        match self {
            Network::Random { degree } => Ok(random(people, *degree, &draws)),
            Network::SmallWorld { degree, rewired } => {
                if *degree >= people || degree % 2 == 1 {
                    return Err(format!(
                        "a small world of degree {degree} needs an even degree below the number of people, {people}"
                    ));
                }
                Ok(small_world(people, *degree, *rewired, &draws))
            }
            Network::Preferential { links } => {
                if *links >= people {
                    return Err(format!(
                        "{links} links of each newcomer need more than {links} people, and there are {people}"
                    ));
                }
                Ok(preferential(people, *links, &draws))
            }
            Network::Edges(all) => {
                let largest = all.iter().map(|(a, b)| *a.max(b)).max().unwrap_or(0);
                if largest as usize >= people {
                    return Err(format!(
                        "the list of edges has person {largest}, and there are people 0 to {}",
                        people.saturating_sub(1)
                    ));
                }
                Ok(Graph::from_edges(people, all))
            }
        }
    }

    /// Its name in a scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Network::Random { .. } => "random",
            Network::SmallWorld { .. } => "small_world",
            Network::Preferential { .. } => "preferential",
            Network::Edges(_) => "edges",
        }
    }
}

/// Draws of one (user, step) of the generator are a sequence; the edges of person i come from theirs.
fn random(people: usize, degree: f64, draws: &Draws) -> Graph {
    let p = degree / (people.max(2) - 1) as f64;
    let mut edges = Vec::new();
    for i in 0..people {
        let mut luck = draws.sequence(i as u64, 0, purpose::NETWORK);
        for j in i + 1..people {
            if luck.uniform() < p {
                edges.push((i as u32, j as u32));
            }
        }
    }
    Graph::from_edges(people, &edges)
}

fn small_world(people: usize, degree: usize, rewired: f64, draws: &Draws) -> Graph {
    let mut friends: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); people];
    let join = |friends: &mut Vec<BTreeSet<u32>>, a: usize, b: usize| {
        friends[a].insert(b as u32);
        friends[b].insert(a as u32);
    };
    for i in 0..people {
        (1..=degree / 2).for_each(|k| join(&mut friends, i, (i + k) % people));
    }
    for i in 0..people {
        let mut luck = draws.sequence(i as u64, 0, purpose::NETWORK);
        for k in 1..=degree / 2 {
            let old = (i + k) % people;
            let to = luck.below(people as u32) as usize;
            let moves = luck.uniform() < rewired;
            // An edge that would be a loop or a second one stays where it is.
            if moves && to != i && !friends[i].contains(&(to as u32)) {
                friends[i].remove(&(old as u32));
                friends[old].remove(&(i as u32));
                join(&mut friends, i, to);
            }
        }
    }
    Graph {
        friends: friends
            .into_iter()
            .map(|f| f.into_iter().collect())
            .collect(),
    }
}

fn preferential(people: usize, links: usize, draws: &Draws) -> Graph {
    let mut edges = Vec::new();
    // Everybody is in here once per friend, so that an even draw is one by friends.
    let mut ends: Vec<u32> = Vec::new();
    for i in 0..people {
        if i <= links {
            // The first of them all know each other.
            for j in 0..i {
                edges.push((i as u32, j as u32));
                ends.extend([i as u32, j as u32]);
            }
            continue;
        }
        let mut luck = draws.sequence(i as u64, 0, purpose::NETWORK);
        let mut chosen = BTreeSet::new();
        while chosen.len() < links {
            chosen.insert(ends[luck.below(ends.len() as u32) as usize]);
        }
        for j in chosen {
            edges.push((i as u32, j));
            ends.extend([i as u32, j]);
        }
    }
    Graph::from_edges(people, &edges)
}

impl Graph {
    /// From pairs of people below `people`; other pairs, loops and second edges are left out.
    pub fn from_edges(people: usize, edges: &[(u32, u32)]) -> Self {
        let mut friends: Vec<Vec<u32>> = vec![Vec::new(); people];
        for (a, b) in edges {
            let (i, j) = (*a as usize, *b as usize);
            if i != j && i < people && j < people {
                friends[i].push(*b);
                friends[j].push(*a);
            }
        }
        for f in &mut friends {
            f.sort_unstable();
            f.dedup();
        }
        Graph { friends }
    }

    /// A person's friends, in order.
    pub fn friends(&self, person: usize) -> &[u32] {
        self.friends.get(person).map_or(&[], Vec::as_slice)
    }

    /// Mean number of friends.
    pub fn mean_degree(&self) -> f64 {
        let ends: usize = self.friends.iter().map(Vec::len).sum();
        ends as f64 / self.friends.len().max(1) as f64
    }

    /// Share of edges whose two people are alike by a measure of theirs; none without edges.
    pub fn share_of_edges(&self, alike: impl Fn(usize, usize) -> bool) -> Option<f64> {
        let (mut all, mut same) = (0u64, 0u64);
        for (i, friends) in self.friends.iter().enumerate() {
            for j in friends.iter().map(|j| *j as usize).filter(|j| *j > i) {
                all += 1;
                same += u64::from(alike(i, j));
            }
        }
        (all > 0).then(|| same as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undirected(g: &Graph, n: usize) -> bool {
        (0..n).all(|i| {
            let friends = g.friends(i).iter().map(|j| *j as usize);
            friends
                .into_iter()
                .all(|j| j != i && g.friends(j).contains(&(i as u32)))
        })
    }

    #[test]
    fn graphs_have_the_degrees_of_their_rule() {
        let random = Network::Random { degree: 8.0 }.graph(1000, 1).unwrap();
        assert!((random.mean_degree() - 8.0).abs() < 0.5 && undirected(&random, 1000));
        let ring = Network::SmallWorld {
            degree: 6,
            rewired: 0.0,
        }
        .graph(50, 1)
        .unwrap();
        assert_eq!(ring.friends(10), [7, 8, 9, 11, 12, 13]);
        let small = Network::SmallWorld {
            degree: 6,
            rewired: 0.2,
        }
        .graph(1000, 1)
        .unwrap();
        assert_eq!(
            small.mean_degree(),
            6.0,
            "leading elsewhere keeps the number of edges"
        );
        let kept = (0..1000).map(|i| {
            let near =
                |j: &&u32| [1, 2, 3, 997, 998, 999].contains(&((**j as i64 - i).rem_euclid(1000)));
            small.friends(i as usize).iter().filter(near).count()
        });
        let kept = kept.sum::<usize>() as f64 / 6000.0;
        assert!(
            (kept - 0.8).abs() < 0.03 && undirected(&small, 1000),
            "{kept}"
        );
        let hubs = Network::Preferential { links: 3 }.graph(2000, 1).unwrap();
        assert!((hubs.mean_degree() - 6.0).abs() < 0.05 && undirected(&hubs, 2000));
        let most = |g: &Graph, n| (0..n).map(|i| g.friends(i).len()).max().unwrap();
        assert!(most(&hubs, 2000) > 40 && most(&small, 1000) < 16);
        assert_eq!(
            hubs,
            Network::Preferential { links: 3 }.graph(2000, 1).unwrap()
        );
        assert_ne!(
            hubs,
            Network::Preferential { links: 3 }.graph(2000, 2).unwrap()
        );
    }

    #[test]
    fn lists_of_edges() {
        let g = Network::Edges(edges("from,to\n0,2\n\n 2 , 1\r\n2,0").unwrap());
        let g = g.graph(4, 1).unwrap();
        assert_eq!((g.friends(2), g.friends(3)), (&[0u32, 1][..], &[][..]));
        assert_eq!(g.share_of_edges(|i, j| i + j == 2), Some(0.5));
        for (text, line, part) in [
            ("", 1, "no edges"),
            ("a,b", 1, "no edges"),
            ("0,1\n1;2", 2, "\"1;2\" is not two numbers"),
            ("0,1\n1,-2", 2, "not two numbers"),
            ("0,1,2", 1, "not two numbers"),
            ("3,3", 1, "their own friend"),
        ] {
            let error = edges(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}");
            assert!(error.message.contains(part), "{error}");
        }
        let error = Network::Edges(vec![(0, 9)]).graph(9, 1).unwrap_err();
        assert!(
            error.contains("person 9") && error.contains("0 to 8"),
            "{error}"
        );
        assert!(
            Network::SmallWorld {
                degree: 3,
                rewired: 0.1
            }
            .graph(9, 1)
            .is_err()
        );
        assert!(
            Network::SmallWorld {
                degree: 10,
                rewired: 0.1
            }
            .graph(10, 1)
            .is_err()
        );
        assert!(Network::Preferential { links: 5 }.graph(5, 1).is_err());
    }
}
