using CloudPeer.TestKit;
using Tlfs.Core.Lenses;
using Xunit;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>Structs, tables and arrays in each other, three deep in every way, with every kind of leaf: written from JSON, read, edited, removed.</summary>
public sealed class NestedKindsTests
{
    private static readonly Kind[] Containers = [Kind.Struct, Kind.Table(Primitive.String), Kind.Array];

    private static readonly Kind[] Leaves =
    [
        Kind.EWFlag, Kind.MVReg(Primitive.Bool), Kind.MVReg(Primitive.U64), Kind.MVReg(Primitive.I64), Kind.MVReg(Primitive.F64), Kind.MVReg(Primitive.String),
        Kind.MVReg(Primitive.Bytes),
    ];

    /// <summary>Every three containers in each other; which leaf is innermost goes round.</summary>
    public static TheoryData<string> Nestings =>
        [.. from outer in Containers from middle in Containers from inner in Containers from leaf in Leaves select string.Join(" ", outer, middle, inner, leaf)];

    [Theory]
    [MemberData(nameof(Nestings))]
    public void A_value_is_written_as_a_whole_and_read_back(string nesting)
    {
        var (replica, kinds) = Make(nesting);
        Assert.Equal(Json(kinds, 0, empty: true), replica.Json);
        replica.Set(".", Json(kinds, 0));
        Assert.Equal(Json(kinds, 0), replica.Json);
        for (var depth = 0; depth <= 3; depth++) Assert.Equal(Json(kinds, depth), replica.Show(Path(kinds, depth)));
        replica.Set(".", Json(kinds, 0, second: true));
        Assert.Equal(Json(kinds, 0, second: true), replica.Json);
    }

    [Theory]
    [MemberData(nameof(Nestings))]
    public void Each_level_is_replaced_by_itself(string nesting)
    {
        for (var depth = 1; depth <= 3; depth++)
        {
            var (replica, kinds) = Make(nesting);
            replica.Set(".", Json(kinds, 0));
            replica.Set(Path(kinds, depth), Json(kinds, depth, second: true));
            Assert.Equal(Json(kinds, depth, second: true), replica.Show(Path(kinds, depth)));
            Assert.Equal(Json(kinds, 0, secondFrom: depth), replica.Json);
        }
    }

    [Theory]
    [MemberData(nameof(Nestings))]
    public void Each_level_is_removed_by_itself(string nesting)
    {
        for (var depth = 1; depth <= 3; depth++)
        {
            var (replica, kinds) = Make(nesting);
            replica.Set(".", Json(kinds, 0));
            replica.Remove(Path(kinds, depth));
            Assert.Equal(Without(kinds, 0, depth), replica.Json);
        }

        var (emptied, all) = Make(nesting);
        emptied.Set(".", Json(all, 0));
        emptied.Remove(".");
        Assert.Equal((Json(all, 0, empty: true), 0), (emptied.Json, emptied.State.EntryCount));
    }

    [Theory]
    [MemberData(nameof(Nestings))]
    public void Elements_are_inserted_and_moved_on_every_level(string nesting)
    {
        var (replica, kinds) = Make(nesting);
        replica.Set(".", Json(kinds, 0));
        for (var depth = 0; depth < 3; depth++)
        {
            if (kinds[depth].Code != KindCode.Array) continue;
            var (array, one, two) = (Path(kinds, depth), Json(kinds, depth + 1), Json(kinds, depth + 1, second: true));
            replica.Insert(array, 1, two);
            Assert.Equal($"[{one},{two}]", replica.Show(array));
            replica.Move(array, 1, 0);
            Assert.Equal($"[{two},{one}]", replica.Show(array));
            replica.Remove(array + "[0]");
            Assert.Equal(Json(kinds, 0), replica.Json);
        }
    }

    [Theory]
    [MemberData(nameof(Nestings))]
    public void Two_replicas_that_edit_different_levels_at_once_agree(string nesting)
    {
        var (a, kinds) = Make(nesting);
        var b = new Replica(a.List, 2);
        b.Receive(a.Set(".", Json(kinds, 0)));
        Delta[] left = [a.Remove(Path(kinds, 1))];
        Delta[] right = [b.Set(Path(kinds, 2), Json(kinds, 2, second: true)), b.Set(Path(kinds, 3), Json(kinds, 3))];
        a.Receive(right.Reverse().ToArray().AsSpan());
        b.Receive(left.AsSpan());
        Assert.Equal((a.State.StateHash(), a.Json), (b.State.StateHash(), b.Json));
    }

    [Fact]
    public void Arrays_of_arrays_of_arrays_of_registers_keep_each_order()
    {
        var (replica, _) = Make("Array Array Array MVReg<u64>");
        replica.Set(".", "[[[1,2],[3]],[[],[4,5,6]]]");
        replica.Move(".[1][1]", 2, 0);
        replica.Move(".[1]", 1, 0);
        replica.Move(".", 1, 0);
        Assert.Equal("[[[6,4,5],[]],[[1,2],[3]]]", replica.Json);
        replica.Set(".[0][1]", "[7]");
        replica.Remove(".[0][0][1]");
        replica.Insert(".[1]", 1, "[]");
        Assert.Equal("[[[6,5],[7]],[[1,2],[],[3]]]", replica.Json);
    }

    [Fact]
    public void Tables_of_arrays_of_tables_keep_each_row()
    {
        var (replica, _) = Make("Table<String> Array Table<u64> MVReg<String>");
        replica.Set(".[\"x\"]", "[{\"1\":\"a\"},{}]");
        replica.Set(".[\"x\"][1][18446744073709551615]", "\"b\"");
        replica.Move(".[\"x\"]", 0, 1);
        replica.Set(".[\"y\"]", "[]");
        Assert.Equal("{\"x\":[{\"18446744073709551615\":\"b\"},{\"1\":\"a\"}],\"y\":[]}", replica.Json);
        replica.Remove(".[\"x\"][0][18446744073709551615]");
        replica.Remove(".[\"y\"]");
        Assert.Equal("{\"x\":[{},{\"1\":\"a\"}]}", replica.Json);
    }

    [Fact]
    public void Thirty_levels_are_written_and_read()
    {
        var entropy = new SeededEntropy(1);
        for (var round = 0; round < 20; round++)
        {
            var (replica, kinds) = Make(string.Join(" ", Enumerable.Range(0, 30).Select(_ => Containers[entropy.Below(3)]).Append(Leaves[entropy.Below(Leaves.Length)])));
            replica.Set(".", Json(kinds, 0));
            Assert.Equal(Json(kinds, 0), replica.Json);
            replica.Set(Path(kinds, 30), Json(kinds, 30, second: true));
            Assert.Equal(Json(kinds, 0, secondFrom: 30), replica.Json);
        }
    }

    /// <summary>A replica whose document has the kinds in each other, from the outside in.</summary>
    private static (Replica Replica, IReadOnlyList<Kind> Kinds) Make(string nesting)
    {
        var known = Containers.Concat(Leaves).Append(Kind.Table(Primitive.U64)).ToDictionary(kind => kind.ToString(), StringComparer.Ordinal);
        var kinds = nesting.Split(' ').Select(name => known[name]).ToList();
        var lenses = new List<Lens>();
        var around = (Func<Lens, Lens>)(lens => lens);
        foreach (var kind in kinds)
        {
            var outer = around;
            lenses.Add(outer(new Make(kind)));
            if (kind.Code == KindCode.Struct) lenses.Add(outer(new AddProperty("f")));
            around = kind.Code switch
            {
                KindCode.Struct => lens => outer(new LensIn("f", lens)),
                KindCode.Array => lens => outer(new LensMap(lens)),
                _ => lens => outer(new LensMapValue(lens)),
            };
        }

        return (new(LensList.Of("x", lenses), 1), kinds);
    }

    private static string Path(IReadOnlyList<Kind> kinds, int depth)
    {
        var path = string.Concat(kinds.Take(depth).Select(kind => kind.Code switch { KindCode.Struct => ".f", KindCode.Array => "[0]", _ => "[\"k\"]" }));
        return path.Length == 0 || path[0] != '.' ? "." + path : path;
    }

    /// <summary>The value at a depth; the second one differs in its leaf.</summary>
    private static string Json(IReadOnlyList<Kind> kinds, int depth, bool second = false, bool empty = false, int? secondFrom = null)
    {
        if (kinds[depth].IsContainer) return Around(kinds[depth], empty && kinds[depth].Code != KindCode.Struct ? null : Json(kinds, depth + 1, second, empty, secondFrom));
        second |= secondFrom is not null;
        return kinds[depth] switch
        {
            { Code: KindCode.EWFlag } => second || empty ? "false" : "true",
            _ when empty => "null",
            { Primitive: Primitive.Bool } => second ? "false" : "true",
            { Primitive: Primitive.U64 } => second ? "18446744073709551615" : "0",
            { Primitive: Primitive.I64 } => second ? "-9223372036854775808" : "9223372036854775807",
            { Primitive: Primitive.F64 } => second ? "-0.5" : "1E+300",
            { Primitive: Primitive.String } => second ? "\"\"" : "\"ä\\n\"",
            _ => second ? "\"\"" : "\"AP8=\"",
        };
    }

    /// <summary>The whole value after the removal of what is at a depth: a row or element is gone, a field is empty.</summary>
    private static string Without(IReadOnlyList<Kind> kinds, int depth, int removed)
    {
        if (depth == removed) return Json(kinds, depth, empty: true);
        if (depth == removed - 1 && kinds[depth].Code != KindCode.Struct) return Around(kinds[depth], null);
        return Around(kinds[depth], Without(kinds, depth + 1, removed));
    }

    private static string Around(Kind kind, string? inner) => kind.Code switch
    {
        KindCode.Struct => $"{{\"f\":{inner}}}",
        KindCode.Array => $"[{inner}]",
        _ => inner is null ? "{}" : $"{{\"k\":{inner}}}",
    };
}
