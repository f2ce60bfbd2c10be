using Tlfs.Core.Lenses;
using Tlfs.Core.Schema;

namespace Tlfs.Core.Tests;

/// <summary>The schemas that many tests use.</summary>
internal static class Schemas
{
    public const string TourSource = """
        todoapp {
          0.1.0 { .: Struct  .title: MVReg<String>  .tasks: Array  .tasks.[]: Struct  .tasks.[].title: MVReg<String>  .tasks.[].complete: EWFlag
                  .people: Table<String>  .people.{}: Struct  .people.{}.age: MVReg<u64> }
        }
        """;

    public const string OldSource = """
        /* The example that must keep working. */
        todoapp {
          0.1.0 { .: Struct  .todos: Table<u64>  .todos.{}: Struct  .todos.{}.title: MVReg<String>  .todos.{}.complete: EWFlag }
          0.1.1 { .todos.rename(tasks)  .tasks.{}.attrs: Struct  .tasks.{}.title.plunge(attrs)  .tasks.{}.attrs.title.hoist()
                  .tasks.{}.attrs.obsolete: Struct  .tasks.{}.attrs.obsolete.remove()  .tasks.{}.attrs.remove() }
        }
        """;

    public const string EverythingSource = """
        everything {
          1.0.0 {
            .: Struct
            .bool: MVReg<bool> .u64: MVReg<u64> .i64: MVReg<i64> .f64: MVReg<f64> .text: MVReg<String> .bytes: MVReg<Bytes> .flag: EWFlag
            .inner: Struct .inner.text: MVReg<String> .inner.flags: Table<String> .inner.flags.{}: EWFlag
            .byBool: Table<bool> .byBool.{}: MVReg<u64>
            .byI64: Table<i64> .byI64.{}: Struct .byI64.{}.name: MVReg<String> .byI64.{}.tags: Array .byI64.{}.tags.[]: MVReg<String>
            .byBytes: Table<Bytes> .byBytes.{}: Array .byBytes.{}.[]: EWFlag
            .matrix: Array .matrix.[]: Array .matrix.[].[]: MVReg<f64>
            .keys: Table<u64>
          }
        }
        """;

    public static TlfsSchema TourPackage { get; } = TlfsPackage.Compile(TourSource).Schemas[0];

    public static LensList Tour { get; } = Latest(TourSource);

    public static LensList Everything { get; } = Latest(EverythingSource);

    public static LensList Latest(string source) => TlfsPackage.Compile(source).Schemas[0].Latest.List;
}
