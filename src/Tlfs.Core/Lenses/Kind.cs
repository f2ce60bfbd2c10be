namespace Tlfs.Core.Lenses;

/// <summary>The shape of a kind; the value is the code on the wire (docs/protocol/operations.md §1).</summary>
public enum KindCode : byte
{
    /// <summary>Nothing yet: a field that was added and not made.</summary>
    Null = 0,
    /// <summary>Named fields.</summary>
    Struct = 1,
    /// <summary>An observed-remove map.</summary>
    Table = 2,
    /// <summary>An observed-remove list with move.</summary>
    Array = 3,
    /// <summary>A multi-value register.</summary>
    MVReg = 4,
    /// <summary>An enable-wins flag.</summary>
    EWFlag = 5,
}

/// <summary>What stands at a place of a document (docs/protocol/operations.md §1). The default value is <see cref="Null"/>.</summary>
public readonly record struct Kind
{
    private Kind(KindCode code, Primitive primitive = default)
    {
        Code = code;
        Primitive = primitive;
    }

    /// <summary>Nothing yet.</summary>
    public static Kind Null => default;

    /// <summary>Named fields.</summary>
    public static Kind Struct { get; } = new(KindCode.Struct);

    /// <summary>A list of elements.</summary>
    public static Kind Array { get; } = new(KindCode.Array);

    /// <summary>An enable-wins flag.</summary>
    public static Kind EWFlag { get; } = new(KindCode.EWFlag);

    /// <summary>The shape.</summary>
    public KindCode Code { get; }

    /// <summary>The type of a table's keys or of a register's values; meaningless for other shapes.</summary>
    public Primitive Primitive { get; }

    /// <summary>True for a table and a register, which name a primitive.</summary>
    public bool HasPrimitive => Code is KindCode.Table or KindCode.MVReg;

    /// <summary>True for kinds that hold others: Struct, Table and Array.</summary>
    public bool IsContainer => Code is KindCode.Struct or KindCode.Table or KindCode.Array;

    /// <summary>A map with keys of the primitive; <see cref="Primitive.F64"/> is no key.</summary>
    public static Kind Table(Primitive key) => key == Primitive.F64
        ? throw new ArgumentOutOfRangeException(nameof(key), "f64 is not a table key")
        : new(KindCode.Table, key);

    /// <summary>A multi-value register of the primitive.</summary>
    public static Kind MVReg(Primitive value) => new(KindCode.MVReg, value);

    /// <summary>The type as a <c>.tlfs</c> source writes it, for example <c>Table&lt;u64&gt;</c>.</summary>
    public override string ToString() => HasPrimitive ? $"{Code}<{Primitive.ToText()}>" : Code.ToString();
}
