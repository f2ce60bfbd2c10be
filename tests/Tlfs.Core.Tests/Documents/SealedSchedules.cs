using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Crdt;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>
/// Random edits on up to four replicas, delivered in any order and more than once through real envelopes: all end equal.
/// </summary>
public sealed class SealedSchedules
{
    private static readonly Lazy<(Copy Owner, Envelope[] Base)> Shared = new(() =>
    {
        var owner = Copy.Begin(People.Ann, 50);
        owner.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("""{"title":"first"}""")));
        for (var person = 1; person < 4; person++) owner.Grant(People.At(person), Permission.Write);
        return (owner, [.. owner.All]);
    });

    private static readonly Gen<(int Who, int What, int Deliver)[]> Schedule =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7], Gen.Int[0, 1_000_000]).Array[1, 5];

    [Fact]
    public void P2_All_replicas_converge_whatever_the_order_and_however_often_envelopes_arrive() =>
        Gen.Select(Gen.Int[2, 4], Schedule, Gen.ULong).Sample(
            (people, schedule, seed) =>
            {
                var copies = Enumerable.Range(0, people).Select(i => new Copy(People.At(i), Shared.Value.Owner.Document.Id, seed ^ (ulong)i)).ToArray();
                foreach (var copy in copies) copy.Document.Receive(Shared.Value.Base, verified: true);
                var made = new List<Envelope>();
                foreach (var (who, what, deliver) in schedule)
                {
                    var copy = copies[who % people];
                    try
                    {
                        made.Add(copy.Edit(edit => Change(edit, what, deliver)));
                    }
                    catch (TlfsException refused) when (refused.Reason == Reason.NothingToDo)
                    {
                        continue;
                    }

                    if (deliver % 3 > 0) copies[deliver % people].Receive([made[deliver % made.Count]]);
                }

                var order = new SeededEntropy(seed);
                foreach (var copy in copies)
                {
                    var again = made.Concat(made).OrderBy(_ => order.Below(int.MaxValue)).ToArray();
                    foreach (var envelope in again) copy.Receive([envelope]);
                }

                foreach (var copy in copies)
                {
                    Assert.Equal(copies[0].Document.StateHash, copy.Document.StateHash);
                    Assert.Equal(copies[0].Document.ToJson(allValues: true), copy.Document.ToJson(allValues: true));
                    Assert.Equal(0, copy.Document.PendingCount);
                    copy.Dispose();
                }
            },
            iter: 10_000);

    private static void Change(Transaction edit, int what, int number)
    {
        switch (what)
        {
            case 0: edit.Set(".title", Json.Parse($"\"t{number}\"")); break;
            case 1: edit.Insert(".tasks", 0, Json.Parse($$"""{"title":"n{{number}}","complete":true}""")); break;
            case 2: edit.Set(".people[\"Ann\"].age", Json.Parse($"{number}")); break;
            case 3: edit.Set($".people[\"p{number % 3}\"]", Json.Parse("{}")); break;
            case 4: edit.Insert(".tasks", 0, Json.Parse("{}")); edit.Set(".tasks[0].complete", Json.Parse("true")); break;
            case 5: edit.Insert(".tasks", 0, Json.Parse("{}")); edit.Insert(".tasks", 1, Json.Parse("{}")); edit.Move(".tasks", 0, 1); break;
            case 6: edit.Set(".", Json.Parse($$"""{"title":"r{{number}}","tasks":[{"title":"a"},{"title":"b"}]}""")); break;
            default: edit.Insert(".tasks", 0, Json.Parse("{}")); edit.Set(".tasks", Json.Parse("[]")); edit.Set(".title", Json.Parse($"\"c{number}\"")); break;
        }
    }
}
