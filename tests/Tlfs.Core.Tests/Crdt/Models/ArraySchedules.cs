using System.Globalization;
using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Models;

/// <summary>
/// Three replicas insert, move, delete and update elements of one array at the same time. What must be there follows from who had seen what: an
/// element stays if an insert or update of it was seen by no delete and by no later update, so update beats delete and delete beats move.
/// </summary>
public sealed class ArraySchedules
{
    private const int Schedules = 1_000;
    private const int Base = 6;
    private static readonly LensList Numbers = Schemas.Latest("x { 0.1.0 { .: Array .[]: MVReg<u64> } }");

    private enum Kind
    {
        Insert,
        Move,
        Delete,
        Update,
    }

    [Fact]
    public void All_replicas_end_with_the_same_order_and_nothing_is_lost_or_doubled()
    {
        var conflicts = 0;
        Gen.ULong.Sample(seed => Interlocked.Add(ref conflicts, new Schedule(seed).Run()), iter: Schedules);
        Assert.True(conflicts > Schedules, $"only {conflicts} conflicts");
    }

    private sealed record Event(Kind Kind, Uid Element, int Value, HashSet<Event> Seen, Delta Delta)
    {
        public bool Equals(Event? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => Delta.Id.GetHashCode();
    }

    private sealed class Schedule(ulong seed)
    {
        private readonly SeededEntropy _entropy = new(seed);
        private readonly Replica[] _replicas = [.. Enumerable.Range(0, 3).Select(i => new Replica(Numbers, unchecked((seed * 4) + (ulong)i)))];
        private readonly HashSet<Event>[] _held = [[], [], []];
        private readonly List<Event> _events = [];

        /// <summary>Returns the number of elements that were deleted and at the same time updated or moved.</summary>
        public int Run()
        {
            for (var i = 0; i < Base; i++) Insert(0, i);
            DeliverAll();
            var began = Order(0);
            for (var step = 0; step < 24; step++)
            {
                if (_entropy.Below(4) == 0) Deliver(_entropy.Below(3), _events[_entropy.Below(_events.Count)]);
                else Act(_entropy.Below(3));
            }

            DeliverAll();
            Check(began);
            ContinueAsList();
            return _events.Count(ended => ended.Kind == Kind.Delete && _events.Exists(other =>
                other.Element == ended.Element && other.Kind is Kind.Update or Kind.Move && !other.Seen.Contains(ended) && !ended.Seen.Contains(other)));
        }

        private void Check(IReadOnlyList<Uid> began)
        {
            var order = Order(0);
            var expected = _events.Select(each => each.Element).Distinct().Where(element => Values(element).Any()).ToHashSet();
            Assert.Equal(order.Count, order.Distinct().Count());
            Assert.True(expected.SetEquals(order), "an element was lost or came back");
            for (var i = 0; i < _replicas.Length; i++)
            {
                Assert.Equal(order, Order(i));
                Assert.Equal(_replicas[0].State.StateHash(), _replicas[i].State.StateHash());
                for (var at = 0; at < order.Count; at++) Assert.Equal(Values(order[at]).Order(), Shown(i, at).Order());
            }

            // Those that nobody moved have kept their order, but for those that had to make room: two who make room at the same time do not know of each other.
            var moved = _events.Where(each => each.Kind == Kind.Move).Select(each => each.Element)
                .Concat(_events.SelectMany(each => each.Delta.Operations.OfType<Tlfs.Core.Crdt.Place>().Where(place => place.Element != each.Element)).Select(place => place.Element))
                .ToHashSet();
            var still = began.Where(element => order.Contains(element) && !moved.Contains(element)).ToList();
            Assert.Equal(still, order.Where(still.Contains));
        }

        // An array that was edited by many is still an array.
        private void ContinueAsList()
        {
            var model = Order(1).ToList();
            if (model.Count < 2) return;
            var (from, to) = (_entropy.Below(model.Count), _entropy.Below(model.Count));
            if (from == to) return;
            _replicas[1].Move(".", from, to);
            var moved = model[from];
            model.RemoveAt(from);
            model.Insert(to, moved);
            Assert.Equal(model, Order(1));
            _replicas[1].Insert(".", to, "99");
            Assert.Equal(model, Order(1).Where((_, at) => at != to));
        }

        // What the events say, read without the state: values that no delete and no later update had seen.
        private IEnumerable<int> Values(Uid element) => _events
            .Where(put => put.Element == element && put.Kind is Kind.Insert or Kind.Update)
            .Where(put => !_events.Exists(over => over.Element == element && over.Kind is Kind.Delete or Kind.Update && over.Seen.Contains(put)))
            .Select(put => put.Value);

        private void Act(int who)
        {
            var order = Order(who);
            var kind = order.Count == 0 ? Kind.Insert : (Kind)_entropy.Below(4);
            var (at, value) = (_entropy.Below(order.Count + 1), _events.Count + 100);
            if (kind == Kind.Insert)
            {
                Insert(who, value, at);
                return;
            }

            at = Math.Min(at, order.Count - 1);
            var to = _entropy.Below(order.Count);
            if (kind == Kind.Move && at == to) return;
            var delta = kind switch
            {
                Kind.Move => _replicas[who].Move(".", at, to),
                Kind.Delete => _replicas[who].Remove($".[{at}]"),
                _ => _replicas[who].Set($".[{at}]", Text(value)),
            };
            Record(who, new(kind, order[at], value, [.. _held[who]], delta));
        }

        private void Insert(int who, int value, int at = 0)
        {
            var delta = _replicas[who].Insert(".", at, Text(value));
            Record(who, new(Kind.Insert, Order(who)[at], value, [.. _held[who]], delta));
        }

        private void Record(int who, Event made)
        {
            _events.Add(made);
            _held[who].Add(made);
        }

        // With its causes, as a document does it.
        private void Deliver(int to, Event made)
        {
            foreach (var each in _events.Where(each => each == made || made.Seen.Contains(each)))
            {
                _replicas[to].Receive(each.Delta);
                _held[to].Add(each);
            }
        }

        private void DeliverAll()
        {
            for (var to = 0; to < _replicas.Length; to++)
                foreach (var made in _events.OrderBy(_ => _entropy.Below(int.MaxValue)).ToList()) Deliver(to, made);
        }

        private IReadOnlyList<Uid> Order(int replica) => _replicas[replica].State.Elements(StoragePath.Root);

        private IEnumerable<int> Shown(int replica, int at) =>
            Tlfs.Core.Crdt.Json.Parse(_replicas[replica].Show($".[{at}]", allValues: true)).EnumerateArray().Select(value => value.GetInt32());

        private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
    }
}
