namespace CloudPeer.Bench.Compare;

/// <summary>One edit of the work: a task appended at an index, or a new title for the task there.</summary>
/// <param name="Index">The element.</param>
/// <param name="Title">Its title.</param>
/// <param name="Complete">What a new task starts with; null for an update, which leaves it alone.</param>
internal readonly record struct WorkEdit(int Index, string Title, bool? Complete = null);

/// <summary>
/// The same work as <c>bench/compare/workload.mjs</c>: change both together. Each list is one transaction of 100 edits.
/// </summary>
internal static class Workload
{
    /// <summary>Edits in one transaction.</summary>
    public const int PerTransaction = 100;

    /// <summary>Edits by which each of two copies differs before they are merged.</summary>
    public const int Divergence = 10_000;

    /// <summary>Transactions that append <paramref name="count"/> tasks.</summary>
    public static IEnumerable<IReadOnlyList<WorkEdit>> Inserts(int count) =>
        Enumerable.Range(0, count).Select(i => new WorkEdit(i, $"task {i}", i % 2 == 0)).Chunk(PerTransaction);

    /// <summary>Transactions that give pseudo-random tasks of <paramref name="count"/> a new title.</summary>
    public static IEnumerable<IReadOnlyList<WorkEdit>> Updates(int count)
    {
        var next = new Indexes(42);
        return Enumerable.Range(0, count).Select(i => new WorkEdit(next.Below(count), $"title {i}")).Chunk(PerTransaction);
    }

    /// <summary>
    /// What one of two copies of <paramref name="count"/> tasks does on its own: in turn a task appended and a new title. Copy 0 changes tasks of even
    /// index and copy 1 those of odd index, so that every engine ends with the same titles; both append.
    /// </summary>
    public static IEnumerable<IReadOnlyList<WorkEdit>> Diverge(int copy, int count)
    {
        var next = new Indexes(7 + (uint)copy);
        return Enumerable.Range(0, Divergence).Select(i => i % 2 == 0
            ? new WorkEdit(count + (i / 2), $"copy {copy} {i}", false)
            : new WorkEdit((next.Below(count >> 1) * 2) + copy, $"copy {copy} title {i}")).Chunk(PerTransaction);
    }

    /// <summary>A pseudo-random sequence that other languages can make with 32-bit integers.</summary>
    private sealed class Indexes(uint seed)
    {
        private uint _last = seed;

        public int Below(int bound)
        {
            _last = unchecked((_last * 1_664_525) + 1_013_904_223);
            return (int)(((ulong)_last * (ulong)bound) >> 32);
        }
    }
}
