using System.Collections.ObjectModel;
using System.Text.Json;

namespace Tlfs.Client.Typed;

/// <summary>An array.</summary>
internal sealed class ArrayShape<T>(Shape<T> element) : Shape<IReadOnlyList<T>>
{
    public override IReadOnlyList<T> Empty => [];

    public override IReadOnlyList<T> Read(JsonElement json) => [.. json.EnumerateArray().Select(element.Read)];

    public override void Write(Utf8JsonWriter json, IReadOnlyList<T> value)
    {
        json.WriteStartArray();
        foreach (var item in value) element.Write(json, item);
        json.WriteEndArray();
    }
}

/// <summary>A table.</summary>
internal sealed class TableShape<TKey, TValue>(TableKey<TKey> key, Shape<TValue> row) : Shape<IReadOnlyDictionary<TKey, TValue>>
    where TKey : notnull
{
    public override IReadOnlyDictionary<TKey, TValue> Empty => ReadOnlyDictionary<TKey, TValue>.Empty;

    public override IReadOnlyDictionary<TKey, TValue> Read(JsonElement json)
    {
        var rows = new Dictionary<TKey, TValue>();
        foreach (var member in json.EnumerateObject()) rows.Add(key.Parse(member.Name), row.Read(member.Value));
        return rows.AsReadOnly();
    }

    public override void Write(Utf8JsonWriter json, IReadOnlyDictionary<TKey, TValue> value)
    {
        json.WriteStartObject();
        foreach (var (name, item) in value)
        {
            json.WritePropertyName(key.Text(name));
            row.Write(json, item);
        }

        json.WriteEndObject();
    }
}

/// <summary>A struct.</summary>
internal sealed class StructShape<T>(T empty, Func<JsonElement, T> read, Action<Utf8JsonWriter, T> write) : Shape<T>
{
    public override T Empty => empty;

    public override T Read(JsonElement json) => read(json);

    public override void Write(Utf8JsonWriter json, T value)
    {
        json.WriteStartObject();
        write(json, value);
        json.WriteEndObject();
    }
}
