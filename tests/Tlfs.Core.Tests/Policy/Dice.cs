using CsCheck;
using Tlfs.Core.Ids;
using Xunit;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Choices that follow from one number, so that a failing graph can be made again from what the test prints.</summary>
public sealed class Dice(ulong seed)
{
    private readonly PCG _pcg = new(1, seed);

    /// <summary>Runs a check over many dice; CsCheck prints the failing one.</summary>
    public static void ForEach(int count, Action<Dice> check) => Gen.ULong.Sample(seed => check(new Dice(seed)), iter: count);

    /// <summary>The same for checks that need something to come up (they say whether it did): it must in a tenth of the cases.</summary>
    public static void ForEach(int count, Func<Dice, bool> check)
    {
        var relevant = 0;
        ForEach(count, dice =>
        {
            if (check(dice)) Interlocked.Increment(ref relevant);
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} cases, of which {relevant} said something");
        Assert.True(relevant >= count / 10, $"only {relevant} of {count} cases said something");
    }

    public int Next(int exclusive) => (int)_pcg.Next((uint)exclusive);

    public int Between(int low, int high) => low + Next(high - low + 1);

    public bool Percent(int chance) => Next(100) < chance;

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)Next(256);
        return bytes;
    }

    public Bytes32 Bytes32() => new(Bytes(32));

    public List<T> Sample<T>(IReadOnlyList<T> items, int count)
    {
        var pool = items.ToList();
        var sample = new List<T>();
        while (sample.Count < count)
        {
            var at = Next(pool.Count);
            sample.Add(pool[at]);
            pool.RemoveAt(at);
        }

        return sample;
    }
}
