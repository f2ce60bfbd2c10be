using System.Collections;

namespace Tlfs.Core.Crdt;

/// <summary>A list without one of its items, not copied.</summary>
internal sealed class AllButOne(IReadOnlyList<ShownElement> all, int without) : IReadOnlyList<ShownElement>
{
    public int Count => all.Count - 1;

    public ShownElement this[int index] => all[index < without ? index : index + 1];

    public IEnumerator<ShownElement> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
