using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>
/// Row P9 of the threat table, on whole documents: what a device can decrypt is what its grants say, to the value, though it holds every byte that a server
/// has; devices whose grants were revoked included, alone and together.
/// </summary>
public sealed class ReadableValues
{
    private static readonly string[] Places = [".", ".a", ".a.b", ".a.b.c", ".d", ".d.e"];

    private static readonly TlfsVersion Version = TlfsPackage.Compile("""
        p9 { 1.0.0 { .: Struct .x: MVReg<u64>
             .a: Struct .a.x: MVReg<u64> .a.b: Struct .a.b.x: MVReg<u64> .a.b.c: Struct .a.b.c.x: MVReg<u64>
             .d: Struct .d.x: MVReg<u64> .d.e: Struct .d.e.x: MVReg<u64> } }
        """).Schemas[0].Latest;

    [Fact]
    public void P9_what_a_device_decrypts_is_what_its_grants_say_and_no_coalition_gets_more()
    {
        for (ulong seed = 0; seed < 60; seed++) Run(seed);
    }

    private static void Run(ulong seed)
    {
        var dice = new SeededEntropy(9_000 + seed);
        using var ann = Copy.Begin(People.Ann, 9_100 + seed, Version.List);
        var model = new Model();
        for (var step = 0; step < 30; step++)
        {
            switch (dice.Below(10))
            {
                case < 5:
                    var place = Places[dice.Below(Places.Length)];
                    ann.Set(place is "." ? ".x" : place + ".x", $"{step}");
                    model.Write(place, (ulong)step);
                    break;
                case < 8: Grant(ann, model, dice); break;
                case 8 when model.Holding.Count > 0:
                    var ended = model.Holding[dice.Below(model.Holding.Count)];
                    ann.Make(author => author.Revoke(ended.Id));
                    model.Revoke(ended);
                    break;
                default:
                    ann.Make(author => author.RotateWorn(_ => dice.Below(2) == 0));
                    break;
            }
        }

        for (var person = 1; person < 4; person++)
        {
            using var copy = ann.Share(People.At(person), 9_200 + seed);
            var readable = Decrypted(copy.Document);
            Assert.True(model.Readable(person).SetEquals(readable), $"seed {seed}, person {person}: {string.Join(',', readable)} instead of {string.Join(',', model.Readable(person))}");
        }
    }

    private static void Grant(Copy ann, Model model, SeededEntropy dice)
    {
        var (person, place, fromNow) = (1 + dice.Below(3), Places[dice.Below(Places.Length)], dice.Below(3) == 0);
        IReadOnlyList<GrantId> made = [];
        ann.Make(author => made = author.Grant(People.At(person).Card.Actor, Permission.Read, place, fromNow));
        foreach (var grant in made.Select(id => ann.Document.Policy.Grant(id)!))
        {
            if (model.Holding.All(held => held.Id != grant.Id)) model.Grant(new(grant.Id, person, ann.Document.PathOf(grant)!, fromNow));
        }
    }

    // Every value in every part that opens, forwarded ones included.
    private static HashSet<ulong> Decrypted(Document document)
    {
        var values = new HashSet<ulong>();
        foreach (var held in document.Log)
            foreach (var part in held.Parts.Where(part => part.IsOpen))
            {
                var content = document.ContentOf(held, part);
                foreach (var operation in content.Operations) Note(operation);
                foreach (var forwarded in content.Forwards.SelectMany(forward => forward.Operations))
                    Note(Operation.TryDecode(forwarded.Bytes, out var operation, out _) ? operation : throw new InvalidOperationException());
            }

        return values;

        void Note(Operation operation)
        {
            if (operation is Put put) values.Add(put.Value.AsUInt64);
        }
    }

    private sealed record Granted(GrantId Id, int Person, string Place, bool FromNow);

    /// <summary>What the grants say, without keys: which values each zone's readers get, and since when.</summary>
    private sealed class Model
    {
        private readonly Dictionary<string, ulong> _now = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string?> _parents = new(StringComparer.Ordinal) { ["."] = null };
        private readonly List<(string Zone, ulong Value)> _told = [];
        private readonly Dictionary<Granted, int> _since = [];
        private readonly HashSet<ulong>[] _readable = [[], [], [], []];

        public List<Granted> Holding { get; } = [];

        public HashSet<ulong> Readable(int person)
        {
            foreach (var grant in Holding.Where(grant => grant.Person == person)) Read(grant);
            return _readable[person];
        }

        public void Write(string place, ulong value)
        {
            _now[place] = value;
            _told.Add((Innermost(place), value));
        }

        public void Grant(Granted grant)
        {
            if (!_parents.ContainsKey(grant.Place))
            {
                _parents.Add(grant.Place, Innermost(grant.Place));
                Tell(grant.Place);
            }

            // From now on: what is there is told again, in the zone and in those below.
            _since[grant] = grant.FromNow ? _told.Count : 0;
            if (grant.FromNow)
                foreach (var zone in _parents.Keys.Where(zone => LiesIn(zone, grant.Place)).ToArray()) Tell(zone);
            Holding.Add(grant);
        }

        public void Revoke(Granted grant)
        {
            Read(grant);
            Holding.Remove(grant);
        }

        // Whoever holds a grant reads, at the latest when it ends, what its zones have told.
        private void Read(Granted grant) =>
            _readable[grant.Person].UnionWith(_told.Skip(_since[grant]).Where(told => LiesIn(told.Zone, grant.Place)).Select(told => told.Value));

        private void Tell(string zone) => _told.AddRange(_now.Where(value => string.Equals(Innermost(value.Key), zone, StringComparison.Ordinal)).Select(value => (zone, value.Value)).ToArray());

        // By path; what lies in what was decided when a zone was made.
        private string Innermost(string place) => _parents.Keys.Where(zone => Contains(zone, place)).MaxBy(zone => zone.Length)!;

        private bool LiesIn(string zone, string outer)
        {
            for (var at = zone; at is not null; at = _parents[at])
                if (string.Equals(at, outer, StringComparison.Ordinal)) return true;
            return false;
        }

        private static bool Contains(string outer, string inner) => outer is "." || string.Equals(inner, outer, StringComparison.Ordinal) || inner.StartsWith(outer + ".", StringComparison.Ordinal);
    }
}
